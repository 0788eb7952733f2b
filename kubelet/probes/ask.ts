// Carries out one probe or one hook of a container.
import type { Container, LifecycleHandler, Probe } from "../../api/generated/types.ts";
import type { World } from "../../machinery/world.ts";
import type { ContainerRuntime } from "../runtime.ts";
import { askGrpc } from "./grpc-health.ts";
import { type Answer, askHttp, askTcp, portNumber } from "./handlers.ts";

/** Where a container is to be found. */
export interface Target {
  readonly id: string;
  readonly container: Container;
  readonly podIp: string;
}

const noPort = (port: number | string): Answer => ({ ok: false, output: `couldn't find port: ${port}` });

async function askCommand(
  runtime: ContainerRuntime,
  t: Target,
  command: readonly string[],
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Answer> {
  const { exitCode, output, timedOut } = await runtime.run(t.id, command, limit.ms, limit.signal);
  if (timedOut)
    return { ok: false, output: `command timed out: "${command.join(" ")}" timed out after ${limit.ms / 1_000}s` };
  return { ok: exitCode === 0, output: output.trimEnd() };
}

/** Runs the handler, at most for `ms`. */
export async function ask(
  { runtime, world: { clock } }: { readonly runtime: ContainerRuntime; readonly world: World },
  t: Target,
  handler: Probe | LifecycleHandler,
  limit: { readonly ms: number; readonly signal: AbortSignal },
): Promise<Answer> {
  if (handler.exec) return askCommand(runtime, t, handler.exec.command ?? [], limit);
  if (handler.httpGet) {
    const port = portNumber(handler.httpGet.port, t.container);
    return port === undefined
      ? noPort(handler.httpGet.port)
      : askHttp(handler.httpGet.host || t.podIp, port, handler.httpGet, limit.ms);
  }
  if (handler.tcpSocket) {
    const port = portNumber(handler.tcpSocket.port, t.container);
    return port === undefined
      ? noPort(handler.tcpSocket.port)
      : askTcp(handler.tcpSocket.host || t.podIp, port, limit.ms);
  }
  const { grpc } = handler as Probe;
  return grpc
    ? askGrpc(t.podIp, grpc.port, grpc.service ?? "", clock.sleep(limit.ms, limit.signal))
    : { ok: true, output: "" };
}
