// How a session ended, as the object that is the last word on its error channel. Pure.

/** A `metav1.Status`, as far as sessions need one. */
export interface SessionStatus {
  readonly metadata: object;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

/** Nothing to complain of. */
export const success: SessionStatus = { metadata: {}, status: "Success" };

/** How a command ended: clients find its exit code among the causes. */
export function exitStatus(exitCode: number): SessionStatus {
  if (exitCode === 0) return success;
  return {
    metadata: {},
    status: "Failure",
    message: `command terminated with non-zero exit code: command terminated with exit code ${exitCode}`,
    reason: "NonZeroExitCode",
    details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] },
  };
}

/** There is no exit code to tell, and this is why. */
export const failureStatus = (why: string): SessionStatus => ({
  metadata: {},
  status: "Failure",
  message: `Internal error occurred: ${why}`,
  reason: "InternalError",
  details: { causes: [{ message: why }] },
  code: 500,
});

/** From its fourth version on the protocol carries the object; before, only words, and none when all went well. */
export function statusBytes(status: SessionStatus, version: number): Buffer | undefined {
  if (version >= 4) return Buffer.from(JSON.stringify(status));
  return status.status === "Success" ? undefined : Buffer.from(status.message ?? "");
}
