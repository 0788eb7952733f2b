// Redis, reached over one connection.
import { Redis } from "ioredis";
import type { Address } from "./postgres.ts";

/** A store whose connection is opened again when it is lost. Commands fail with it, and with each attempt that fails. */
export function openRedis({ host, password }: Address): Redis {
  const times = { connectTimeout: 3000, socketTimeout: 3000, retryStrategy: () => 200 };
  const redis = new Redis({ host, password, maxRetriesPerRequest: 0, ...times });
  // The errors of commands do not have the cause.
  redis.on("error", ({ message }: Error) => console.error(`${host}: ${message}`));
  return redis;
}
