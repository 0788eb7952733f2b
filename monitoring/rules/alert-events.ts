// Alerts become events on the object that their labels name.
import type { ApiObject } from "../../api/meta.ts";
import { key } from "../../api/meta.ts";
import type { EventRecorder } from "../../machinery/events.ts";
import type { ClusterViews } from "../scrape/cluster-views.ts";
import type { AlertListener } from "./evaluator.ts";
import type { ActiveAlert } from "./groups.ts";

/** Labels that name an object, the most specific first, and the view that has it. */
const named: readonly (readonly [label: string, view: keyof ClusterViews])[] = [
  ["pod", "pods"],
  ["service", "services"],
  ["deployment", "deployments"],
  ["statefulset", "statefulSets"],
  ["daemonset", "daemonSets"],
  ["node", "nodes"],
];

/** The object that an alert is about; undefined when its labels name none that exists. */
export function objectOf({ labels }: ActiveAlert, views: ClusterViews): ApiObject | undefined {
  for (const [label, view] of named) {
    const name = labels.get(label);
    if (name === "") continue;
    const namespace = view === "nodes" ? undefined : labels.get("namespace");
    const object = views[view].lister.get(key(namespace, name));
    if (object) return object;
  }
  return undefined;
}

const textOf = ({ labels, annotations }: ActiveAlert): string =>
  annotations["summary"] ?? annotations["description"] ?? labels.get("alertname");

/** Records a warning when an alert fires, and a normal event when it no longer does. */
export const alertEvents = (views: ClusterViews, events: EventRecorder): AlertListener => ({
  fired(alert) {
    const object = objectOf(alert, views);
    if (object) events.record(object, "Warning", alert.labels.get("alertname"), textOf(alert));
  },
  resolved(alert) {
    const object = objectOf(alert, views);
    if (object) events.record(object, "Normal", "AlertResolved", `no longer: ${textOf(alert)}`);
  },
});
