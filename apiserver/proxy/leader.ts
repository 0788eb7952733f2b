// Requests that only the control plane that holds a lease can serve, sent there by the others.
import type { IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { type Lease, leases } from "../../api/coordination/leases.ts";
import { ApiError, ifFound } from "../../api/errors.ts";
import { key } from "../../api/meta.ts";
import { type KubeletTls, limitWait, textOf } from "../kubelets/kubelets.ts";
import { objectOf } from "../registry/codec.ts";
import type { Registry } from "../registry/verbs.ts";
import type { ApiRequest, WholeReply } from "../request/request-response.ts";

/** Keeps requests from being sent on and on. */
const sentOn = "orrery-forwarded";
const usualMs = 60_000;

/** What is sent on of a request. */
type Forwarded = Pick<ApiRequest, "method" | "path" | "headers"> & Partial<Pick<ApiRequest, "search" | "body">>;

/**
 * Sends a request to the API server beside which the holder of a lease in kube-system runs. Rejects with
 * ServiceUnavailable when there is none, or when it does not respond in time, by default in a minute.
 */
export type ToLeader = (lease: string, request: Forwarded, withinMs?: number) => Promise<WholeReply>;

/** `tls` is the client certificate for other API servers, whose user must have the right for these requests. */
export const requestsToLeaders =
  (registry: Registry, tls: KubeletTls): ToLeader =>
  async (lease, { method, path, search = "", headers, body }, withinMs = usualMs) => {
    const stored = await ifFound(registry.get(leases, key("kube-system", lease)));
    const [, host, port] = /_([^_]+):(\d+)$/.exec((stored && objectOf<Lease>(stored).spec.holderIdentity) ?? "") ?? [];
    if (host === undefined || headers[sentOn] !== undefined)
      throw new ApiError("ServiceUnavailable", `no control plane leads ${lease} yet; try again in some seconds`);
    const type = headers["content-type"];
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const upstream = httpsRequest(
        {
          ...{ host, port, method, path: `${path}${search}`, ...tls, agent: false },
          headers: { [sentOn]: "1", ...(type !== undefined && { "content-type": type }) },
        },
        resolve,
      );
      upstream.on("error", (e) =>
        reject(
          new ApiError("ServiceUnavailable", `the control plane that leads ${lease} cannot be reached: ${e.message}`),
        ),
      );
      limitWait(upstream, registry.world.clock, withinMs);
      upstream.end(body);
    });
    const headersOf = { "content-type": response.headers["content-type"] ?? "application/json" };
    return { status: response.statusCode ?? 500, body: await textOf(response), headers: headersOf };
  };
