// Fields that persistent volumes and claims share: the class annotation and the access modes.

/** The predecessor of `storageClassName`. */
export const classAnnotation = "volume.beta.kubernetes.io/storage-class";

/** Access modes and their abbreviations, in the order `kubectl get` lists them. */
const shortModes = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" };

/** `RWO,RWX` */
export const accessModesCell = (modes: readonly string[] | undefined): string =>
  Object.entries(shortModes)
    .flatMap(([mode, short]) => (modes?.includes(mode) ? [short] : []))
    .join(",");
