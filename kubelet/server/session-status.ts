// The `metav1.Status` on the error channel at the end of a session. Pure.

export interface SessionStatus {
  readonly metadata: object;
  readonly status: "Success" | "Failure";
  readonly message?: string;
  readonly reason?: string;
  readonly details?: { readonly causes: readonly { readonly reason?: string; readonly message: string }[] };
  readonly code?: number;
}

export const success: SessionStatus = { metadata: {}, status: "Success" };

/** The status of a command; clients read the exit code from its causes. */
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

/** The status of a session that failed without an exit code. */
export const failureStatus = (why: string): SessionStatus => ({
  metadata: {},
  status: "Failure",
  message: `Internal error occurred: ${why}`,
  reason: "InternalError",
  details: { causes: [{ message: why }] },
  code: 500,
});

/** The fourth version of the protocol and later send the object; earlier ones a message, and nothing on success. */
export function statusBytes(status: SessionStatus, version: number): Buffer | undefined {
  if (version >= 4) return Buffer.from(JSON.stringify(status));
  return status.status === "Success" ? undefined : Buffer.from(status.message ?? "");
}
