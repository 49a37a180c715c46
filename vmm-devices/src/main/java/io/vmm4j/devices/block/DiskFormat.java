package io.vmm4j.devices.block;

/** How a file holds the contents of a disk. */
public enum DiskFormat {
  /** What the file's first bytes say, where nobody else may have written them: see DiskFiles. */
  AUTO,
  /** The bytes as they are. */
  RAW,
  /** An image of QEMU's qcow2 format, version 2 or 3. */
  QCOW2
}
