// How an extender is reached and what it does. Source: the reference of kubescheduler.config.k8s.io/v1.
import { parseDuration } from "../../api/duration.ts";

/** Another process that takes part in decisions. */
export interface ExtenderConfig {
  readonly urlPrefix?: string;
  readonly filterVerb?: string;
  readonly preemptVerb?: string;
  readonly prioritizeVerb?: string;
  readonly weight?: number;
  readonly bindVerb?: string;
  readonly enableHTTPS?: boolean;
  readonly tlsConfig?: {
    readonly insecure?: boolean;
    readonly serverName?: string;
    /** In base64, as the others. */
    readonly certData?: string;
    readonly keyData?: string;
    readonly caData?: string;
    /** Paths; what they name is read into the data when the file is read. */
    readonly certFile?: string;
    readonly keyFile?: string;
    readonly caFile?: string;
  };
  readonly httpTimeout?: string;
  readonly nodeCacheCapable?: boolean;
  readonly managedResources?: readonly { readonly name?: string; readonly ignoredByScheduler?: boolean }[];
  readonly ignorable?: boolean;
}
/** Source: kube-scheduler's DefaultExtenderTimeout. */
const defaultTimeoutMs = 5_000;

/** How long a request may take. */
export function timeoutOf({ httpTimeout = "0s" }: ExtenderConfig): number {
  const parsed = parseDuration(httpTimeout);
  return typeof parsed === "number" && parsed > 0 ? parsed : defaultTimeoutMs;
}
