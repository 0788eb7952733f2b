// The error that crosses component borders, as Kubernetes' `Status` defines it, validation problems, and assertions.

/** Reasons of `metav1.Status`, with the HTTP code each one travels under. */
export const statusCodes = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  /** Some of Kubernetes' responses have no reason. */
  Unknown: 500,
  ServiceUnavailable: 503,
  Timeout: 504,
} as const;
export type ErrorReason = keyof typeof statusCodes;

/** An invalid field. `reason` is a `metav1.CauseType`; `path` as in `spec.containers[0].name`. */
export interface Problem {
  readonly path: string;
  readonly message: string;
  readonly reason?:
    | "FieldValueInvalid"
    | "FieldValueRequired"
    | "FieldValueDuplicate"
    | "FieldValueNotSupported"
    | "FieldValueForbidden"
    | "FieldValueTooLong"
    | "FieldValueTooMany"
    | "FieldValueNotFound"
    | "FieldValueTypeInvalid";
}

export interface ErrorDetails {
  readonly name?: string;
  readonly group?: string;
  readonly kind?: string;
  readonly uid?: string;
  readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  readonly retryAfterSeconds?: number;
}

/** Switch on `reason`; never parse `message`. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly reason: ErrorReason;
  readonly details: ErrorDetails | undefined;
  /** Token to continue an expired list from, at the current revision. */
  readonly continue: string | undefined;
  constructor(reason: ErrorReason, message: string, details?: ErrorDetails, token?: string) {
    // An expected response to a request: its stack would never be read, and capturing it costs more than the rest.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message);
    Error.stackTraceLimit = stackTraceLimit;
    this.reason = reason;
    this.details = details;
    this.continue = token;
  }
}

export const hasReason = (e: unknown, ...reasons: readonly ErrorReason[]): boolean =>
  e instanceof ApiError && reasons.includes(e.reason);

/** For `catch`: errors of these reasons are ignored, others are thrown. */
export const ignoring =
  (...reasons: readonly ErrorReason[]) =>
  (e: unknown): undefined => {
    if (!hasReason(e, ...reasons)) throw e;
  };

/** The object of a request; undefined when there is none. */
export async function ifFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (e) {
    if (hasReason(e, "NotFound")) return undefined;
    throw e;
  }
}

/** Whether a failed request may have taken effect: read before retrying. */
export const isAmbiguous = (e: unknown): boolean => hasReason(e, "Timeout", "ServiceUnavailable", "InternalError");

/** Throws when an invariant does not hold, also in production. */
export function assert(condition: unknown, invariant: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${invariant}`);
}
