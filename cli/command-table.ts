// The commands of the program. A command is one file, loaded only when it runs, and one line here.
import type { CommandRow, CommandTable } from "./program/command-row.ts";

type Load = CommandRow["load"];
type Row = readonly [name: string, summary: string, load: Load];

const group = (title: string, global: boolean, rows: readonly Row[]): readonly (readonly [string, CommandRow])[] =>
  rows.map(([name, summary, load]) => [name, { group: title, summary, global, load }]);

/** All commands, in the order of the help. */
export const commandTable: CommandTable = Object.fromEntries([
  ...group("Objects", true, [
    ["get", "list objects, once or with every change", () => import("./commands/get.ts")],
    ["describe", "show the details of objects, with their events", () => import("./commands/describe.ts")],
    ["run", "create a pod from an image", () => import("./commands/run.ts")],
    ["create", "create an object from flags or manifests", () => import("./commands/create.ts")],
    ["apply", "create or update objects from manifests", () => import("./commands/apply.ts")],
    ["diff", "show how objects would change by manifests, or changed since then", () => import("./commands/diff.ts")],
    ["edit", "change objects in an editor", () => import("./commands/edit.ts")],
    ["replace", "replace objects by those of manifests", () => import("./commands/replace.ts")],
    ["patch", "change fields of objects", () => import("./commands/patch.ts")],
    ["label", "set or remove labels", () => import("./commands/label.ts")],
    ["annotate", "set or remove annotations", () => import("./commands/annotate.ts")],
    ["set", "change the images, variables or other fields of objects", () => import("./commands/set.ts")],
    ["delete", "delete objects by name, by selector or from manifests", () => import("./commands/delete.ts")],
    ["ui", "browse objects, logs and shells in the terminal", () => import("./commands/ui.ts")],
    ["timeline", "show what an object and all it owns went through", () => import("./commands/timeline.ts")],
    ["replay", "make the decisions of controllers again over history", () => import("./commands/replay.ts")],
    ["dashboard", "show the cluster in a browser", () => import("./commands/dashboard.ts")],
    ["trace", "show how the last change of an object went through the cluster", () => import("./commands/trace.ts")],
    ["why", "show why an object is as it is, and what to try next", () => import("./commands/why.ts")],
    ["explain", "show the documentation of kinds and fields", () => import("./commands/explain.ts")],
    ["api-resources", "list the types of objects of the server", () => import("./commands/api-resources.ts")],
    ["api-versions", "list the groups and versions of the server", () => import("./commands/api-versions.ts")],
    ["events", "list events, of all objects or of one", () => import("./commands/events.ts")],
    ["alerts", "list the alerts whose conditions hold", () => import("./commands/alerts.ts")],
  ]),
  ...group("Workloads", true, [
    ["logs", "print the logs of containers", () => import("./commands/logs.ts")],
    ["exec", "run a command in a container", () => import("./commands/exec.ts")],
    ["attach", "attach to the process of a container", () => import("./commands/attach.ts")],
    ["port-forward", "forward local ports to a pod", () => import("./commands/port-forward.ts")],
    ["cp", "copy files and folders to and from containers", () => import("./commands/cp.ts")],
    ["debug", "debug pods and nodes with a container of your tools", () => import("./commands/debug.ts")],
    ["expose", "create a service for a workload", () => import("./commands/expose.ts")],
    ["autoscale", "create an autoscaler for a workload", () => import("./commands/autoscale.ts")],
    ["scale", "set the number of replicas", () => import("./commands/scale.ts")],
    ["url", "print where a service answers outside the cluster", () => import("./commands/url.ts")],
    ["rollout", "watch, undo, restart, pause or resume rollouts", () => import("./commands/rollout.ts")],
    ["wait", "wait until objects meet a condition, exist or are gone", () => import("./commands/wait.ts")],
    ["top", "show the usage of nodes and pods, and the figures of services", () => import("./commands/top.ts")],
  ]),
  ...group("Nodes", true, [
    ["cordon", "mark nodes as unschedulable", () => import("./commands/cordon.ts")],
    ["uncordon", "mark nodes as schedulable", () => import("./commands/uncordon.ts")],
    ["drain", "evict the pods of nodes", () => import("./commands/drain.ts")],
    ["taint", "set or remove taints of nodes", () => import("./commands/taint.ts")],
    ["rebalance", "move pods to free nodes, or to where their rules hold", () => import("./commands/rebalance.ts")],
  ]),
  ...group("Orrery's clusters", false, [
    ["up", "create a cluster, or start the stopped parts of one", () => import("./commands/up.ts")],
    ["down", "remove a cluster", () => import("./commands/down.ts")],
    ["cluster", "list the clusters of this machine", () => import("./commands/cluster.ts")],
    ["snapshot", "save all objects of a cluster in a file, and restore them", () => import("./commands/snapshot.ts")],
    ["status", "show the health of the components of a cluster", () => import("./commands/status.ts")],
    ["node", "list, add, stop, start, kill or remove nodes", () => import("./commands/node.ts")],
    ["image", "list, copy or remove images of the nodes", () => import("./commands/image.ts")],
    ["component-logs", "print the logs of a cluster's components", () => import("./commands/component-logs.ts")],
    ["join", "make this machine a node of a cluster elsewhere", () => import("./commands/join.ts")],
    ["server", "run a control plane without nodes", () => import("./commands/server.ts")],
    ["demo", "a guided tour: a cluster heals, updates, rolls back and scales", () => import("./commands/demo.ts")],
    ["autoscaler", "", () => import("./commands/autoscaler.ts")],
    ["agent", "", () => import("./commands/agent.ts")],
    ["csi", "", () => import("./commands/csi.ts")],
    ["load-balancer", "", () => import("./commands/load-balancer.ts")],
    ["test", "", () => import("./commands/test.ts")],
  ]),
  ...group("Settings", true, [
    ["proxy", "serve the API of the cluster on a local port", () => import("./commands/proxy.ts")],
    ["auth", "check permissions, and show the current user", () => import("./commands/auth.ts")],
    ["certificate", "approve or deny certificate signing requests", () => import("./commands/certificate.ts")],
    ["token", "make, list or delete tokens by which machines join", () => import("./commands/token.ts")],
    [
      "cluster-info",
      "print the addresses of the control plane and its services",
      () => import("./commands/cluster-info.ts"),
    ],
    ["version", "print the versions of the command line and the server", () => import("./commands/version.ts")],
    ["config", "show and change kubeconfig files and contexts", () => import("./commands/config.ts")],
  ]),
  ...group("Settings", false, [
    ["kubeconfig", "print the path of a cluster's kubeconfig", () => import("./commands/kubeconfig.ts")],
    ["options", "list the flags that all commands about objects accept", () => import("./commands/options.ts")],
    ["completion", "print a completion script for bash, zsh or fish", () => import("./commands/completion.ts")],
  ]),
]);
