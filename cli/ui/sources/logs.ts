// Reads and follows the log of a container.
import type { Pod } from "../../../api/generated/types.ts";
import type { ApiObject } from "../../../api/meta.ts";
import { CliError } from "../../cli-error.ts";
import { chosenContainer, containersOf } from "../../client/chosen-container.ts";
import { mostUsefulFirst, podsMatching, selectorOf } from "../../client/pods-of.ts";
import { pathOf, query } from "../../client/resources.ts";
import { printable } from "../cells.ts";
import { type LogSource, podResource } from "../state.ts";
import { maxLineLength } from "../text.ts";
import { batches, type Reading, refPath } from "./source.ts";

/** How many of the last lines are read first. */
const tailLines = 500;
/** After this time without a line, the page says that there is none, in milliseconds. */
const quietMs = 500;

/** The pod of a source: itself, or the most useful one of a workload. */
async function podOf({ of }: LogSource, { session }: Reading): Promise<Pod> {
  const object = await session.api.get<Pod | (ApiObject & { readonly spec?: unknown })>(refPath(of));
  if (object.kind === "Pod") return object as Pod;
  const pods = await podsMatching(session.api, of.namespace ?? "", selectorOf(object, "get the logs from"));
  const [pod] = mostUsefulFirst(pods, true);
  if (pod === undefined) throw new CliError(`${of.resource.singular}/${of.name} has no pods`);
  return pod;
}

/** The lines of a stream; the last one may lack its end. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of chunks) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    // A line without end must not fill the memory.
    rest = lines.pop()!.slice(0, maxLineLength);
    for (const line of lines) yield line;
  }
  if (rest !== "") yield rest;
}

/** Publishes the last lines of a log, and those that are added, until it ends. Throws ApiError or CliError. */
export async function readLog(source: LogSource, reading: Reading): Promise<void> {
  const { session, clock, signal, publish } = reading;
  const pod = await podOf(source, reading);
  const { name: container } = chosenContainer(pod, source.container);
  const { namespace, name } = pod.metadata;
  publish({ type: "log", log: { pod: name, container, containers: containersOf(pod) } });
  const { previous, timestamps } = source;
  const parameters = query({ container, follow: !previous, previous, timestamps, tailLines });
  let isFirst = true;
  const pass = (lines: readonly string[]): void => {
    publish({ type: "lines", lines, replaces: isFirst });
    isFirst = false;
  };
  const lines = batches<string>(reading, pass);
  const hasEnded = new AbortController();
  const quiet = AbortSignal.any([signal, hasEnded.signal]);
  clock.sleep(quietMs, quiet).then(
    () => isFirst && pass([]),
    () => {},
  );
  try {
    const path = `${pathOf(podResource, namespace, name)}/log${parameters}`;
    for await (const line of linesOf(session.api.stream({ path, accept: "*/*" }, signal)))
      lines.add(printable(line.slice(0, maxLineLength)));
    lines.flush();
    if (isFirst) pass([]);
    publish({ type: "ended" });
  } finally {
    hasEnded.abort();
  }
}
