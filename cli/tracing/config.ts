// How tracing is configured: by options, or by the TracingConfiguration of kube-apiserver's --tracing-config-file.
import { type ConfigKind, readConfigFile, textSchema } from "../../apiserver/documents/config-file.ts";
import { CliError } from "../cli-error.ts";
import { readFrom } from "../read-config.ts";

export interface TracingConfig {
  /** The URL that spans are posted to, in OpenTelemetry's protocol. */
  readonly endpoint?: string;
  /** Of a million traces that begin in the cluster, how many are recorded; all unless set. */
  readonly samplingRatePerMillion?: number;
  /** Whether the API server keeps the last traces in memory, for `orrery trace`. */
  readonly isKept?: true;
}

/** The options of commands that start a control plane. */
export interface TracingFlags {
  readonly trace?: boolean;
  readonly tracingEndpoint?: string;
  readonly tracingConfigFile?: string;
}

const kind: ConfigKind = {
  apiVersion: "apiserver.config.k8s.io/v1",
  kind: "TracingConfiguration",
  fields: { endpoint: textSchema, samplingRatePerMillion: { type: "integer", format: "int32" } },
};

/** The URL of a collector: with the path of traces, unless it has one. Throws. */
export function endpointIn(text: string): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol))
    throw new Error(
      `the endpoint ${JSON.stringify(text)} is no http or https URL: spans are sent by OTLP over HTTP, such as to http://127.0.0.1:4318`,
    );
  if (url.pathname === "/") url.pathname = "/v1/traces";
  return url.href;
}

/** Reads a TracingConfiguration. As in Kubernetes, no trace begins in the cluster while no rate is set. Throws. */
export function readTracingConfiguration(text: string): TracingConfig {
  const { endpoint, samplingRatePerMillion = 0 } = readConfigFile<TracingConfig>(text, kind);
  if (samplingRatePerMillion < 0) throw new Error("samplingRatePerMillion: sampling rate must be positive");
  if (samplingRatePerMillion > 1_000_000)
    throw new Error("samplingRatePerMillion: sampling rate per million must be less than or equal to 1000000");
  return { endpoint: endpointIn(endpoint ?? "http://127.0.0.1:4318"), samplingRatePerMillion };
}

/** What the options configure; undefined when tracing is off. Throws CliError. */
export function tracingOf({ trace, tracingEndpoint, tracingConfigFile }: TracingFlags): TracingConfig | undefined {
  if (tracingEndpoint !== undefined && tracingConfigFile !== undefined)
    throw new CliError(
      "--tracing-endpoint and --tracing-config-file exclude each other",
      "Set the endpoint in the file, and how many traces are sampled.",
    );
  if (!trace && tracingEndpoint === undefined && tracingConfigFile === undefined) return undefined;
  const kept = trace ? ({ isKept: true } as const) : {};
  if (tracingConfigFile !== undefined)
    return { ...readFrom(tracingConfigFile, "the tracing configuration", readTracingConfiguration), ...kept };
  if (tracingEndpoint === undefined) return kept;
  try {
    return { endpoint: endpointIn(tracingEndpoint), ...kept };
  } catch (error) {
    throw new CliError((error as Error).message);
  }
}
