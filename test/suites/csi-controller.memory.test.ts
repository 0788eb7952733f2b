// The Controller service of the driver in memory, by which the controllers beside a driver are tested.
import { csiControllerSuite } from "./csi-controller.ts";
import { memoryDriver } from "./memory-driver.ts";

csiControllerSuite("in memory", async () => ({ calls: memoryDriver().calls, close: async () => {} }));
