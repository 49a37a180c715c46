package io.vmm4j.api;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A disk of a machine, which devices offer.
 *
 * {@snippet :
 * vm.device("pci/00:03.0", Disk.class).exportTo(Path.of("disk.qcow2"), Disk.Format.QCOW2);
 * }
 *
 * <p>Any thread. Nothing here stops the guest.
 */
public interface Disk {

  /** How a file holds a disk. */
  enum Format {
    /** The bytes as they are; zeros are holes. */
    RAW,
    /** An image of QEMU's qcow2 format, version 3, which needs no other file. */
    QCOW2
  }

  /** Returns the size of the disk in bytes. */
  long sizeBytes();

  /**
   * Makes the disk larger, and tells the guest's driver; what is new is zeros. A disk that is
   * written to its file makes the file longer.
   *
   * @param sizeBytes at least its size, in whole sectors of 512 bytes
   * @throws IllegalArgumentException if a disk can't have this size
   * @throws IOException if it can't be written to
   */
  void resize(long sizeBytes) throws IOException;

  /**
   * Writes the disk's contents to a file: those of one moment between two requests of the guest,
   * after the call has begun. The guest goes on meanwhile, and what it writes later is not in the
   * file. What it has not yet sent to the disk isn't, either.
   *
   * <p>The file is complete or not there: an older one is replaced when all is durable. A machine
   * that is taken to a snapshot meanwhile, or closed, ends the call.
   *
   * @throws IOException if contents can't be read, or the file can't be written; the older file is
   *     as it was
   */
  void exportTo(Path file, Format format) throws IOException;
}
