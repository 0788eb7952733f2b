// Binds a pod to its node through the API.
import { isAmbiguous } from "../../api/errors.ts";
import { pods } from "../../api/core/pods.ts";
import { backoff } from "../../machinery/workqueue.ts";
import type { SchedulerPlugin } from "../framework.ts";

export const defaultBinder: SchedulerPlugin = {
  name: "DefaultBinder",
  events: [],
  async bind({ pod }, nodeName, { client, clock, signal }) {
    // The same binding is sent again after an unknown outcome: a lost one may still arrive, and must find its room.
    for (let failures = 1; ; failures++) {
      try {
        await client.update(pods, { ...pod, spec: { ...pod.spec, nodeName } }, "binding");
        return undefined;
      } catch (e) {
        if (!isAmbiguous(e)) throw e;
        await clock.sleep(backoff(failures), signal);
      }
    }
  },
};
