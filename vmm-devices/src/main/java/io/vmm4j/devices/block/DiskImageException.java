package io.vmm4j.devices.block;

import java.io.IOException;
import java.nio.file.Path;

/** A disk's file is not what it must be; the message names the file and what is wrong in it. */
public final class DiskImageException extends IOException {
  private static final long serialVersionUID = 1;

  /** Says what is wrong in which file. */
  public DiskImageException(Path file, String fault) {
    super("%s: %s".formatted(file, fault));
  }
}
