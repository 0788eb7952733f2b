// Serves one of the CSI drivers alone, for csi-sanity. Arguments: local or shared, and a folder for its socket and volumes.
import { join } from "node:path";
import { runDriver } from "../../csi/driver/driver.ts";
import { localDriver, sharedDriver } from "../../csi/driver/profile.ts";
import { realWorld } from "../../machinery/real-world.ts";

const [name, folder] = process.argv.slice(2) as [string, string];
const ended = new AbortController();
process.on("SIGTERM", () => ended.abort());
const world = realWorld((message, fields) => process.stdout.write(`${message} ${JSON.stringify(fields)}\n`));
await runDriver(
  {
    profile: name === "local" ? localDriver : sharedDriver,
    node: "node-1",
    root: join(folder, `${name}-volumes`),
    socketPath: join(folder, `${name}.sock`),
  },
  world,
  ended.signal,
);
process.exit();
