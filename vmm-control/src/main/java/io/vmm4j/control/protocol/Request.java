package io.vmm4j.control.protocol;

import java.nio.file.Path;
import java.util.Optional;

/** What a client asks for; docs/control.md has the grammar. */
public sealed interface Request {

  /** What the machine is and does. */
  record Status() implements Request {}

  /** Stops guest code and guest time. */
  record Pause() implements Request {}

  /** Goes on. */
  record Resume() implements Request {}

  /**
   * Takes a snapshot and writes it to a file.
   *
   * @param file an absolute path
   * @param suspend whether the machine is to end once the file is durable
   * @param live whether its memory is copied while it runs
   */
  record SnapshotToFile(Path file, boolean suspend, boolean live) implements Request {}

  /**
   * Takes a snapshot and sends it over the connection.
   *
   * @param live whether the memory is copied while the machine runs
   */
  record SnapshotToClient(boolean live) implements Request {}

  /**
   * Takes the machine to the state of a snapshot.
   *
   * @param file an absolute path
   */
  record Restore(Path file) implements Request {}

  /**
   * Makes the connection a console's line.
   *
   * @param device the path of its device
   */
  record Console(String device) implements Request {}

  /** Shows the registers of all vCPUs. */
  record DumpRegisters() implements Request {}

  /** Shows memory. */
  record DumpMemory(long guestPhysicalAddress, int length) implements Request {}

  /**
   * Writes a disk's contents to a file.
   *
   * @param device the path of the disk
   * @param file an absolute path
   * @param qcow2 whether the file is to be a qcow2 image, and not the bytes as they are
   */
  record DiskExport(String device, Path file, boolean qcow2) implements Request {}

  /** Makes a disk larger. */
  record DiskResize(String device, long bytes) implements Request {}

  /** Takes a device away, as a hand that pulls it out. */
  record Detach(String device) implements Request {}

  /**
   * Opens a TCP port of the host's loopback address that leads to a port of the guest.
   *
   * @param device the path of a network card on a network in user mode; none for the only one
   * @param hostPort 0 for any free one
   * @param guestPort 1 to 65535
   */
  record Forward(Optional<String> device, int hostPort, int guestPort) implements Request {}

  /** Presses the power button. */
  record PowerOff() implements Request {}

  /** Ends the machine at once. */
  record Stop() implements Request {}

  /** A line that was read. */
  sealed interface Line {
    /** The request's id. */
    RequestId id();

    /** A request. */
    record Good(RequestId id, Request request) implements Line {}

    /** Something else, and what is wrong with it. */
    record Bad(RequestId id, ErrorType type, String message) implements Line {}
  }

  /** The device whose console it is, if none is named. */
  String DEFAULT_CONSOLE = "com1";
}
