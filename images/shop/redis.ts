// Redis, reached over one connection.
import { Redis } from "ioredis";
import type { Address } from "./postgres.ts";

/** A client that reconnects by itself. Commands that wait when the connection, or an attempt to open one, fails are rejected. */
export function openRedis({ host, password }: Address): Redis {
  const times = { connectTimeout: 3000, socketTimeout: 3000, retryStrategy: () => 200 };
  const redis = new Redis({ host, password, maxRetriesPerRequest: 0, ...times });
  // The errors of commands do not name the cause.
  redis.on("error", ({ message }: Error) => console.error(`${host}: ${message}`));
  return redis;
}
