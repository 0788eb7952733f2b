// The simulated runtime, in virtual time.
import { simulatedRuntime } from "../sim/runtime.ts";
import { seeded, virtualClock } from "../sim/virtual-clock.ts";
import { instant } from "../../api/meta.ts";
import { runtimeSuite } from "./runtime.ts";

runtimeSuite("simulated", async () => {
  const clock = virtualClock();
  const runtime = simulatedRuntime({ clock, random: seeded(1), log: () => {} });
  return {
    runtime,
    clock,
    image: "sim/shell:1",
    async live(work) {
      let done = false;
      const result = work().finally(() => {
        done = true;
      });
      result.catch(() => {});
      while (!done) await clock.run(instant(clock.now() + 100));
      return result;
    },
    close: async () => {},
  };
});
