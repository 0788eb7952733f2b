// Audit events (audit.k8s.io/v1): what was requested, by whom, and what came of it, one event for each stage of a
// request. Every event is a line of JSON, so no text of a client can forge another line.
import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../../machinery/world.ts";
import type { Decision, RequestInfo, User } from "../authorization/authorizer.ts";
import { addressesOf } from "./addresses.ts";
import {
  auditDecision,
  type AuditDecision,
  type AuditPolicy,
  type AuditStage,
  isAtLeast,
  namespaceOfRequest,
} from "./policy.ts";

/** A request as it arrives. */
export interface AuditedRequest {
  readonly id: string;
  readonly began: number;
  readonly attributes: RequestInfo;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  /** The user of its credentials; undefined when they are invalid. */
  readonly user: User | undefined;
  /** Whether it lasts as long as its client wants. */
  readonly isLongRunning: boolean;
}

/** What a response holds: bytes of JSON, or a stream. */
interface Responded {
  readonly status: number;
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** The events of one request. */
export interface RequestAudit {
  /** Adds an annotation; one that is there is kept. */
  readonly annotate: (key: string, value: string) => void;
  impersonates(user: User): void;
  authorized(decision: Decision): void;
  /** The object in the body of the request. */
  sends(object: unknown): void;
  /** The response, before it is encoded. Records that a response that lasts has begun. */
  responds(response: Responded): void;
  /** The request is over. */
  completes(status: number): void;
  /** The server failed in a way that it does not expect. */
  panics(message: string): void;
}

/** Begins to audit a request; undefined for a request of which nothing is recorded. */
export type Auditor = (request: AuditedRequest) => RequestAudit | undefined;
/** An auditor, and what ends the requests that a stopping server has cut off. */
export interface Auditing {
  readonly auditor: Auditor;
  readonly end: () => void;
}

const longestAgent = 1024;
const agentOf = ({ "user-agent": agent }: IncomingHttpHeaders): string | undefined =>
  agent !== undefined && agent.length > longestAgent ? `${agent.slice(0, longestAgent)}...TRUNCATED` : agent;

/** `authentication.k8s.io/v1` UserInfo. */
const userInfo = ({ name, uid, groups, extra }: User): object => ({
  username: name,
  ...(uid !== undefined && { uid }),
  ...(groups.length > 0 && { groups }),
  ...(extra && { extra }),
});

let lastTime = { at: 0, text: "" };
/** The time in microseconds, as MicroTime is written. The last one is kept: many events share a millisecond. */
function microTime(at: number): string {
  if (lastTime.at !== at) lastTime = { at, text: new Date(at).toISOString().replace("Z", "000Z") };
  return lastTime.text;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function withoutOwnManagedFields(object: unknown): unknown {
  if (!isObject(object) || !isObject(object["metadata"]) || !("managedFields" in object["metadata"])) return object;
  const { managedFields: _, ...metadata } = object["metadata"];
  return { ...object, metadata };
}
/** The object, the list or the table without managed fields. */
function withoutManagedFields(object: unknown): unknown {
  const own = withoutOwnManagedFields(object);
  if (!isObject(own)) return own;
  const { items, rows } = own;
  return {
    ...own,
    ...(Array.isArray(items) && { items: items.map(withoutOwnManagedFields) }),
    ...(Array.isArray(rows) && {
      rows: rows.map((row: Json) => ({ ...row, object: withoutOwnManagedFields(row["object"]) })),
    }),
  };
}

const parsed = (body: Buffer | string | undefined): unknown => {
  try {
    return body === undefined ? undefined : JSON.parse(body.toString());
  } catch {
    return undefined;
  }
};

const statusStart = '{"kind":"Status"';
/** The fields of a Status that events repeat. */
const statusFields = ["status", "message", "reason", "details", "code"] as const;
/** The status of a response: of one that is no Status, only the code. */
function responseStatus({ status: code, body }: Responded): object {
  const text = typeof body === "string" ? body : (body?.subarray(0, statusStart.length).toString() ?? "");
  const status = text.startsWith(statusStart) ? parsed(body) : undefined;
  if (!isObject(status)) return { metadata: {}, code };
  const shown = statusFields.filter((field) => status[field] !== undefined);
  return { metadata: {}, ...Object.fromEntries(shown.map((field) => [field, status[field]])), code };
}

/** How a request whose credentials are invalid tried to authenticate. */
function attemptsIn(headers: IncomingHttpHeaders): string {
  const [scheme = ""] = (headers.authorization ?? "").trim().split(" ");
  const methods = [
    ...(scheme.toLowerCase() === "basic" ? ["basic"] : []),
    ...(scheme.toLowerCase() === "bearer" ? ["bearer"] : []),
  ];
  return methods.length > 0
    ? `Authentication failed, attempted: ${methods.join(", ")}`
    : "Authentication failed, no credentials provided";
}

/** Names the object of a request. */
function objectRefOf(attributes: RequestInfo, sent: unknown): object | undefined {
  const { resource, name, group, version, subresource } = attributes;
  if (resource === undefined) return undefined;
  const metadata = isObject(sent) && isObject(sent["metadata"]) ? sent["metadata"] : {};
  const ref = {
    resource,
    namespace: namespaceOfRequest(attributes) ?? metadata["namespace"],
    name: name ?? metadata["name"],
    uid: metadata["uid"],
    apiGroup: group === "" ? undefined : group,
    apiVersion: version,
    resourceVersion: metadata["resourceVersion"],
    subresource,
  };
  return ref;
}

/** Where events go, and when they were. */
interface Recording {
  readonly clock: Clock;
  readonly record: (line: string) => void;
  /** Called when a request is over. */
  readonly ended: () => void;
}

/** Records the stages of one request. */
class Events implements RequestAudit {
  readonly #request: AuditedRequest;
  readonly #decision: AuditDecision;
  readonly #by: Recording;
  #annotations: Record<string, string> | undefined;
  #impersonated: User | undefined;
  #sent: unknown;
  #response: Responded | undefined;
  #isOver = false;

  constructor(request: AuditedRequest, decision: AuditDecision, by: Recording) {
    this.#request = request;
    this.#decision = decision;
    this.#by = by;
    if (request.user) this.#emit("RequestReceived", request.began);
  }
  readonly annotate = (key: string, value: string): void => {
    this.#annotations ??= {};
    this.#annotations[key] ??= value;
  };
  impersonates(user: User): void {
    this.#impersonated = user;
  }
  authorized({ allowed, reason = "" }: Decision): void {
    this.annotate("authorization.k8s.io/decision", allowed ? "allow" : "forbid");
    this.annotate("authorization.k8s.io/reason", reason);
  }
  sends(object: unknown): void {
    this.#sent = object;
  }
  responds(response: Responded): void {
    if (this.#response) return;
    this.#response = response;
    const { user, isLongRunning } = this.#request;
    if (!user || isLongRunning) this.#emit("ResponseStarted", this.#by.clock.now());
  }
  completes(status: number): void {
    if (this.#isOver) return;
    this.responds({ status });
    this.#end();
    if (this.#request.user) this.#emit("ResponseComplete", this.#by.clock.now());
  }
  /** The server stops before the request is over. */
  breaksOff(): void {
    const status = { kind: "Status", status: "Success", message: "Connection closed early" };
    this.responds({ status: 200, body: JSON.stringify(status) });
    this.completes(200);
  }
  panics(message: string): void {
    if (this.#isOver) return;
    this.#end();
    const status = {
      kind: "Status",
      status: "Failure",
      message: `APIServer panic'd: ${message}`,
      reason: "InternalError",
    };
    this.#response = { status: 500, body: JSON.stringify(status) };
    this.#emit("Panic", this.#by.clock.now());
  }
  #end(): void {
    this.#isOver = true;
    this.#by.ended();
  }
  #shown(object: unknown): unknown {
    return this.#decision.omitManagedFields ? withoutManagedFields(object) : object;
  }
  #emit(stage: AuditStage, at: number): void {
    const { level, omitStages } = this.#decision;
    if (omitStages.includes(stage)) return;
    const { id, began, attributes, url, headers, remoteAddress, user } = this.#request;
    const response = this.#response;
    const sourceIPs = addressesOf(headers, remoteAddress);
    const isComplete = stage === "ResponseComplete" && response?.body !== undefined;
    const event = {
      ...{ kind: "Event", apiVersion: "audit.k8s.io/v1", level, auditID: id, stage, requestURI: url },
      verb: attributes.verb,
      user: user ? userInfo(user) : {},
      impersonatedUser: this.#impersonated && userInfo(this.#impersonated),
      ...(sourceIPs.length > 0 && { sourceIPs }),
      userAgent: agentOf(headers),
      objectRef: objectRefOf(attributes, this.#sent),
      responseStatus: response && this.#statusOf(response),
      requestObject: isAtLeast(level, "Request") ? this.#shown(this.#sent) : undefined,
      responseObject:
        isComplete && isAtLeast(level, "RequestResponse") ? this.#shown(parsed(response.body)) : undefined,
      requestReceivedTimestamp: microTime(began),
      stageTimestamp: microTime(at),
      annotations: this.#annotations,
    };
    this.#by.record(`${JSON.stringify(event)}\n`);
  }
  #statusOf(response: Responded): object {
    const status = responseStatus(response);
    return this.#request.user ? status : { ...status, message: attemptsIn(this.#request.headers) };
  }
}

/** Audits requests by a policy. */
export function auditing(policy: AuditPolicy, clock: Clock, record: (line: string) => void): Auditing {
  const open = new Set<Events>();
  return {
    auditor(request) {
      const decision = auditDecision(policy, request.attributes, request.user);
      if (decision.level === "None") return undefined;
      const events = new Events(request, decision, { clock, record, ended: () => open.delete(events) });
      open.add(events);
      return events;
    },
    end() {
      for (const events of open) events.breaksOff();
    },
  };
}
