// `autoscale`: a HorizontalPodAutoscaler for a workload.
import { formatQuantity, parseQuantity } from "../../api/quantity.ts";
import { CliError } from "../cli-error.ts";
import { type GeneratedObject, unlessEmpty } from "./generated-object.ts";

export interface AutoscaleFlags {
  readonly max: number;
  readonly min: number;
  readonly cpu?: string;
  readonly cpuPercent?: number;
  readonly memory?: string;
  readonly name?: string;
}

/** Checks the numbers. Throws CliError in kubectl's words. */
export function checkAutoscale({ max, min, cpu, cpuPercent }: AutoscaleFlags): void {
  if (cpu && cpuPercent !== undefined) throw new CliError("--cpu-percent and --cpu are mutually exclusive");
  if (max < 1) throw new CliError(`--max=MAXPODS is required and must be at least 1, max: ${max}`);
  if (max < min) throw new CliError(`--max=MAXPODS must be larger or equal to --min=MINPODS, max: ${max}, min: ${min}`);
}

const maxPercentage = 2 ** 31 - 1;
const utilization = (averageUtilization: number) => ({ type: "Utilization", averageUtilization });

/** The target of a resource: a percentage of the request, or an average. A bare number takes `unit`. */
function targetOf(resource: string, text: string, unit: string) {
  if (text.endsWith("%")) {
    const percentage = text.slice(0, -1);
    if (!/^\+?\d+$/.test(percentage) || Number(percentage) > maxPercentage)
      throw new CliError(`invalid percentage value: ${percentage}`);
    return utilization(Number(percentage));
  }
  const isBare = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text);
  const quantity = parseQuantity(isBare ? `${Number(text)}${unit}` : text);
  if (!quantity) throw new CliError(`invalid resource ${resource} value: ${text}`);
  return { type: "AverageValue", averageValue: formatQuantity(quantity) };
}

const metric = (name: string, target: object) => ({ type: "Resource", resource: { name, target } });

/** A HorizontalPodAutoscaler of the object that the reference names. */
export function autoscaler(
  scaleTargetRef: Readonly<Record<"kind" | "name" | "apiVersion", string>>,
  { max, min, cpu, cpuPercent = -1, memory, name }: AutoscaleFlags,
): GeneratedObject {
  const metrics = [
    ...(cpu ? [metric("cpu", targetOf("cpu", cpu, "m"))] : []),
    ...(cpuPercent > 0 ? [metric("cpu", utilization(cpuPercent))] : []),
    ...(memory ? [metric("memory", targetOf("memory", memory, "Mi"))] : []),
  ];
  return {
    kind: "HorizontalPodAutoscaler",
    apiVersion: "autoscaling/v2",
    metadata: { name: name || scaleTargetRef.name },
    spec: {
      scaleTargetRef,
      minReplicas: min > 0 ? min : undefined,
      maxReplicas: max,
      metrics: unlessEmpty(metrics),
    },
    status: { desiredReplicas: 0, currentMetrics: null },
  };
}
