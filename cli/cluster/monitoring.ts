// The options of metrics over time, of `up` and of `server`.
import { parseDuration } from "../../api/duration.ts";
import { CliError } from "../cli-error.ts";
import type { ServerConfig } from "./config.ts";

/** How often metrics are read. */
const scrapeIntervalMs = 15_000;
const [leastMs, mostMs] = [60_000, 90 * 86_400_000];

/** Milliseconds of a retention; 0 keeps no metrics. Throws CliError. */
export function retentionMs(text: string): number {
  const ms = text === "0" ? 0 : parseDuration(text.replace(/^(\d+)d$/, (_, days: string) => `${Number(days) * 24}h`));
  if (typeof ms === "number" && (ms === 0 || (ms >= leastMs && ms <= mostMs))) return ms;
  throw new CliError(
    `"${text}" is no time to keep metrics for`,
    "Write a duration from 1m to 90d such as 24h, or 0 to keep none.",
  );
}

/** The configuration of a control plane that keeps metrics in a folder; none when it keeps none. */
export const monitoringConfig = (folder: string, retention: number | undefined): Pick<ServerConfig, "monitoring"> =>
  retention === undefined || retention === 0
    ? {}
    : { monitoring: { folder, retentionMs: retention, scrapeIntervalMs } };
