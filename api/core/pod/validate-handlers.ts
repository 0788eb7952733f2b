// What can be wrong with how a container is asked whether it is well, and with what is done as it starts and stops.
import type { Container, ExecAction, HTTPGetAction, Lifecycle, Probe, SleepAction } from "../../generated/types.ts";
import type { Problem } from "../../errors.ts";
import { validatePortName } from "../../names.ts";
import {
  each,
  forbidden,
  inRange,
  invalid,
  none,
  notNegative,
  required,
  together,
  unsupported,
} from "../../problems.ts";
import { stopSignals } from "./signals.ts";

const header = /^[-A-Za-z0-9]+$/;
const headerMessage =
  "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')";
const schemes = ["HTTP", "HTTPS"];

const validatePort = (port: number | string | undefined, path: string): readonly Problem[] =>
  typeof port === "string" ? validatePortName(port, path) : inRange(port ?? 0, path, 1, 65_535);

const validateHttp = ({ path: file, port, scheme = "HTTP", httpHeaders = [] }: HTTPGetAction, path: string) =>
  together(
    file ? none : [required(`${path}.path`)],
    validatePort(port, `${path}.port`),
    schemes.includes(scheme) ? none : [unsupported(`${path}.scheme`, scheme, schemes)],
    each(httpHeaders, "", ({ name }) =>
      header.test(name) ? none : [invalid(`${path}.httpHeaders`, name, headerMessage)],
    ),
  );

interface Handler {
  readonly exec?: ExecAction;
  readonly httpGet?: HTTPGetAction;
  readonly tcpSocket?: { readonly port: number | string };
  readonly grpc?: { readonly port: number };
  readonly sleep?: SleepAction;
}
const kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"] as const;

function validateAction(kind: (typeof kinds)[number], h: Handler, path: string, graceSeconds: number | undefined) {
  switch (kind) {
    case "exec":
      return h.exec?.command?.length ? none : [required(`${path}.command`)];
    case "httpGet":
      return validateHttp(h.httpGet!, path);
    case "tcpSocket":
      return validatePort(h.tcpSocket?.port, `${path}.port`);
    case "grpc":
      return validatePort(h.grpc?.port, `${path}.port`);
    case "sleep": {
      const { seconds } = h.sleep!;
      if (graceSeconds === undefined || (seconds >= 0 && seconds <= graceSeconds)) return [];
      const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`;
      return [invalid(path, seconds, detail)];
    }
  }
}

/** There is one thing to do, and it is told completely. */
function validateHandler(h: Handler, path: string, graceSeconds: number | undefined): readonly Problem[] {
  let first: (typeof kinds)[number] | undefined;
  let more = none;
  for (const kind of kinds)
    if (h[kind] !== undefined) {
      if (first) more = [...more, forbidden(`${path}.${kind}`, "may not specify more than 1 handler type")];
      else first = kind;
    }
  if (!first) return [required(path, "must specify a handler type")];
  return together(validateAction(first, h, `${path}.${first}`, graceSeconds), more);
}

const counts = [
  "initialDelaySeconds",
  "timeoutSeconds",
  "periodSeconds",
  "successThreshold",
  "failureThreshold",
] as const;

function validateProbe(p: Probe | undefined, path: string, use: "readiness" | "life"): readonly Problem[] {
  if (!p) return none;
  const { terminationGracePeriodSeconds: grace, successThreshold = 1 } = p;
  const graceAt = `${path}.terminationGracePeriodSeconds`;
  return together(
    validateHandler(p, path, undefined),
    ...counts.map((field) => notNegative(p[field], `${path}.${field}`)),
    grace !== undefined && grace <= 0 ? [invalid(graceAt, grace, "must be greater than 0")] : none,
    use === "life" && successThreshold !== 1
      ? [invalid(`${path}.successThreshold`, successThreshold, "must be 1")]
      : none,
    use === "readiness" && grace !== undefined
      ? [invalid(graceAt, grace, "must not be set for readinessProbes")]
      : none,
  );
}

/** What a handler has to know of its pod. */
export interface Surroundings {
  readonly graceSeconds: number | undefined;
  /** The operating system, when the pod insists on one. */
  readonly os: string | undefined;
}

function validateStopSignal(signal: string | undefined, os: string | undefined, path: string): readonly Problem[] {
  if (signal === undefined) return [];
  if (os === undefined) return [forbidden(path, "may not be set for containers with empty `spec.os.name`")];
  const known = stopSignals(os);
  return known === undefined || known.includes(signal) ? [] : [unsupported(path, signal, known)];
}

const validateLifecycle = (l: Lifecycle, path: string, { graceSeconds, os }: Surroundings): readonly Problem[] => [
  ...(l.postStart ? validateHandler(l.postStart, `${path}.postStart`, graceSeconds) : []),
  ...(l.preStop ? validateHandler(l.preStop, `${path}.preStop`, graceSeconds) : []),
  ...validateStopSignal(l.stopSignal, os, `${path}.stopSignal`),
];

/** What is wrong with the probes and the lifecycle of a container that is to go on. */
export const validateHandlers = (c: Container, path: string, around: Surroundings): readonly Problem[] =>
  together(
    c.lifecycle ? validateLifecycle(c.lifecycle, `${path}.lifecycle`, around) : none,
    validateProbe(c.livenessProbe, `${path}.livenessProbe`, "life"),
    validateProbe(c.readinessProbe, `${path}.readinessProbe`, "readiness"),
    validateProbe(c.startupProbe, `${path}.startupProbe`, "life"),
  );
