// The failures of volumes of pods.

/** A volume that could not be set up; `message` is for the user. */
export class VolumeFailure extends Error {
  override readonly name: string = "VolumeFailure";
  /** The reason of its event. */
  readonly reason: "FailedMount" | "FailedMapVolume" | "VolumeResizeFailed" | "FailedPrepareDynamicResources";
  constructor(message: string, reason: VolumeFailure["reason"] = "FailedMount") {
    super(message);
    this.reason = reason;
  }
}
/** A volume that another component still has to attach. */
export class VolumePending extends VolumeFailure {
  override readonly name = "VolumePending";
}
