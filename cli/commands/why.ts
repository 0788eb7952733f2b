// orrery why: shows why an object is as it is, what it waits for, and what to try next.
import type { Command } from "commander";
import { type Explanation, type ExplanationList, explanationVersion } from "../../api/explanation/explanation.ts";
import { CliError } from "../cli-error.ts";
import { pathOf } from "../client/resources.ts";
import { session } from "../client/session.ts";
import { targetPath, targetsOf } from "../client/targets.ts";
import { explanationText } from "../printers/explanation.ts";
import { explanationTable } from "../printers/explanation-table.ts";
import { objectPrinter } from "../printers/output.ts";
import type { GlobalFlags } from "../program/global-flags.ts";
import { clock } from "./cluster-option.ts";

interface Flags extends GlobalFlags {
  readonly output?: string;
  readonly allNamespaces?: boolean;
}
type Scope = Awaited<ReturnType<typeof session>>;
const formats = ["json", "wide", "yaml"];

/** What is listed without a name, in this order. */
const inNamespaces = [
  ...["deployments.apps", "statefulsets.apps", "daemonsets.apps", "replicasets.apps", "cronjobs.batch", "jobs.batch"],
  ...["pods", "services", "ingresses.networking.k8s.io", "persistentvolumeclaims"],
  ...["horizontalpodautoscalers.autoscaling", "poddisruptionbudgets.policy", "resourcequotas"],
];
const ofCluster = ["nodes", "namespaces", "certificatesigningrequests.certificates.k8s.io"];

/** What is not as desired in a namespace, or everywhere; of kinds that the user may list. */
async function undesired(scope: Scope, namespace: string | undefined): Promise<ExplanationList> {
  const kinds = namespace === undefined ? [...ofCluster, ...inNamespaces] : inNamespaces;
  const lists = await Promise.allSettled(
    kinds.map(async (kind) => {
      const resource = await scope.mapper.named(kind);
      return scope.api.get<ExplanationList>(`/explain${pathOf(resource, namespace)}`);
    }),
  );
  const read = lists.flatMap((list) => (list.status === "fulfilled" ? [list.value] : []));
  // Where nothing may be listed, the reason is shown.
  const [refused] = lists.flatMap((list) => (list.status === "rejected" ? [list.reason as Error] : []));
  if (read.length === 0 && refused) throw refused;
  const remaining = read.reduce((sum, list) => sum + (list.remaining ?? 0), 0);
  return {
    ...{ kind: "ExplanationList", apiVersion: explanationVersion, items: read.flatMap(({ items }) => items) },
    ...(remaining > 0 && { remaining }),
  };
}

async function why(args: readonly string[], flags: Flags): Promise<void> {
  const isWide = flags.output === "wide";
  const printer = flags.output === undefined || isWide ? undefined : await objectPrinter(flags, formats);
  const scope = await session(flags);
  if (args.length === 0) {
    const namespace = flags.allNamespaces === true ? undefined : scope.namespace;
    const list = await undesired(scope, namespace);
    process.stdout.write(printer?.(list as never) ?? explanationTable(list, namespace));
    return;
  }
  const isType = args.length > 1 && !args.some((arg) => arg.includes("/")) && (await isServed(scope, args[0]!));
  const targets = await targetsOf(scope, args, {}, isType ? {} : { defaultType: "pods" });
  const texts = [];
  for (const target of targets) {
    if (target.name === undefined) throw new CliError("say which object", "For example: orrery why deployment/web");
    const explanation = await scope.api.get<Explanation>(`/explain${targetPath(target)}`);
    texts.push(printer?.(explanation as never) ?? explanationText(explanation, { isWide, now: clock.now() }));
  }
  process.stdout.write(texts.join(printer ? "" : "\n"));
}

/** Whether a word is a type of the server, as in `why deployment web`. */
const isServed = (scope: Scope, word: string): Promise<boolean> =>
  scope.mapper.named(word).then(
    () => true,
    () => false,
  );

/** Adds `why` to the program. */
export const register = (program: Command): void => {
  program
    .command("why [objects...]")
    .summary("show why an object is as it is, and what to try next")
    .description(
      "Shows why objects are as they are: their root causes with the next thing to try, how these lead to the state, the last decisions of controllers, the scheduler and the kubelet, events, and who wrote which field. Without a name it lists what is not as desired in the namespace. A name without a type is that of a pod.",
    )
    .option("-A, --all-namespaces", "without a name: in all namespaces")
    .option("-o, --output <format>", "json, yaml, or wide: all decisions, events and fields, and scores of every node")
    .addHelpText(
      "after",
      "\nExamples:\n  orrery why deploy/web\n  orrery why pod/web-1 svc/web -n shop -o wide\n  orrery why\n  orrery why -A",
    )
    .action(why);
};
