// Log and event streams of the engine.
import type { Readable } from "node:stream";
import type Docker from "dockerode";
import { onAbort } from "../../machinery/abort.ts";
import { type LogOptions, type RuntimeEvent, RuntimeUnavailable } from "../runtime.ts";
import { engineCall } from "./engine-error.ts";
import { demultiplexed, unframed } from "./frames.ts";
import { nodeLabel, parseEngineName } from "./names.ts";

const seconds = (ms: number): string =>
  `${Math.floor(ms / 1_000)}.${String(Math.round(ms % 1_000)).padStart(3, "0")}000000`;

/** Always requests a stream, because a log may be larger than memory. */
function openLogs(docker: Docker, id: string, options: LogOptions): Promise<Readable> {
  const query = {
    follow: options.follow,
    stdout: options.stream !== "stderr",
    stderr: options.stream !== "stdout",
    timestamps: options.timestamps,
    ...(options.tail === undefined ? {} : { tail: options.tail }),
    ...(options.since === undefined ? {} : { since: seconds(options.since) }),
  };
  const call = {
    path: `/containers/${id}/logs?`,
    method: "GET",
    isStream: true,
    statusCodes: { 200: true, 404: "no such container", 500: "server error" },
    options: query,
  };
  return new Promise((resolve, reject) => {
    docker.modem.dial(call, (error: unknown, stream: unknown) => (error ? reject(error) : resolve(stream as Readable)));
  });
}

/** A container's log, both streams in the order of writing. */
export async function* readLogs(
  docker: Docker,
  id: string,
  options: LogOptions,
  signal: AbortSignal,
): AsyncIterable<Uint8Array> {
  const info = await engineCall(() => docker.getContainer(id).inspect());
  const stream = (await engineCall(() => openLogs(docker, id, options)))!;
  const off = onAbort(signal, () => stream.destroy());
  try {
    for await (const piece of info!.Config.Tty ? unframed(stream) : demultiplexed(stream)) yield piece.data;
  } catch (e) {
    if (!signal.aborted) throw e;
  } finally {
    off();
    stream.destroy();
  }
}

/** An event of a container. */
export interface ContainerEvent extends RuntimeEvent {
  readonly id: string;
}
interface EngineEvent {
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}
const meanings: Readonly<Record<string, RuntimeEvent["what"]>> = { start: "started", die: "died", destroy: "removed" };

function eventOf(line: string): ContainerEvent | undefined {
  const { Action: action, Actor: actor } = JSON.parse(line) as EngineEvent;
  const what = meanings[action];
  const podUid = parseEngineName(actor.Attributes.name ?? "")?.pod.uid;
  return what === undefined || podUid === undefined ? undefined : { podUid, what, id: actor.ID };
}

/** Throws when the engine goes away; events may be missed then, so the caller lists again. */
export async function* readEvents(
  docker: Docker,
  nodeName: string,
  signal: AbortSignal,
): AsyncIterable<ContainerEvent> {
  const filters = { type: ["container"], event: Object.keys(meanings), label: [`${nodeLabel}=${nodeName}`] };
  const stream = (await engineCall(() => docker.getEvents({ filters: JSON.stringify(filters) }))) as Readable;
  const off = onAbort(signal, () => stream.destroy());
  let rest = "";
  try {
    for await (const chunk of stream) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const event = line.trim() === "" ? undefined : eventOf(line);
        if (event !== undefined) yield event;
      }
    }
  } catch (e) {
    if (!signal.aborted) throw new RuntimeUnavailable(`the engine's events ended: ${String(e)}`);
  } finally {
    off();
    stream.destroy();
  }
  if (!signal.aborted) throw new RuntimeUnavailable("the engine's events ended");
}
