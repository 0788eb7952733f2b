// Reads the source of the page that is shown, again and again: what ends is continued, what fails is tried again.
import { errorText } from "../../program/report.ts";
import type { Source } from "../state.ts";
import { readContainers } from "./containers.ts";
import { readContexts } from "./contexts.ts";
import { readDescription, readYaml } from "./documents.ts";
import { readLog } from "./logs.ts";
import { readObjects } from "./objects.ts";
import type { Reading } from "./source.ts";
import { readTree } from "./tree.ts";

/** After how many milliseconds a source is read again; undefined for those that are complete. */
const refreshMs: Readonly<Record<Source["type"], number | undefined>> = {
  objects: 1_000,
  containers: 2_000,
  describe: 5_000,
  yaml: 5_000,
  tree: 15_000,
  logs: undefined,
  contexts: undefined,
  help: undefined,
};
/** The longest pause between attempts, in milliseconds. */
const maxPauseMs = 10_000;

function read(source: Source, reading: Reading): Promise<void> {
  switch (source.type) {
    case "objects":
      return readObjects(source, reading);
    case "logs":
      return readLog(source, reading);
    case "containers":
      return readContainers(source.of, reading);
    case "tree":
      return readTree(source.of, reading);
    case "describe":
      return readDescription(source.of, reading);
    case "yaml":
      return readYaml(source.of, reading);
    case "contexts":
      return readContexts(reading);
    case "help":
      return Promise.resolve();
  }
}

/** The first line of an error, as commands print it. */
export const messageOf = (error: unknown): string => errorText(error).split("\n")[0]!;

/** Reads a source until the signal aborts. Never rejects: errors are published. */
export async function keepReading(source: Source, reading: Reading): Promise<void> {
  const { clock, signal, publish } = reading;
  let failures = 0;
  const published: Reading["publish"] = (event) => {
    if (signal.aborted) return;
    failures = 0;
    publish(event);
  };
  while (!signal.aborted) {
    let pause = refreshMs[source.type];
    try {
      await read(source, { ...reading, publish: published });
    } catch (error) {
      if (signal.aborted) return;
      publish({ type: "failed", message: messageOf(error) });
      pause = Math.min(1_000 * 2 ** failures, maxPauseMs);
      failures++;
    }
    if (pause === undefined) return;
    await clock.sleep(pause, signal).catch(() => {});
  }
}
