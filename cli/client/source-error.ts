// Errors of objects that were read from files: the message names the file.
import { ApiError } from "../../api/errors.ts";

/** The server's error with the file of the object: `error when creating "pod.yaml": ...`. */
export const withSource = (error: unknown, doing: string, file: string): unknown =>
  error instanceof ApiError
    ? new ApiError(
        error.reason,
        `error when ${doing} ${JSON.stringify(file === "standard input" ? "STDIN" : file)}: ${error.message}`,
        error.details,
      )
    : error;
