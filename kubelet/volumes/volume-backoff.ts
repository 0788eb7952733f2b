// When an operation on a volume that failed is attempted again.
import { backoff } from "../../machinery/workqueue.ts";

const firstMs = 500;
const longestMs = 122_000;

/** Milliseconds after this many failures in a row. Source: the kubelet's exponential back-off of volume operations. */
export const volumeBackoff = (failures: number): number => backoff(failures, firstMs, longestMs);
