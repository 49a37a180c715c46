package io.vmm4j.api;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;

/**
 * The whole state of a machine at one moment: memory, processors, devices, clock, and what its
 * consoles have shown and are still to take. It does not change when the machine goes on, and holds
 * its own copy of the memory until it is closed. Safe for any thread.
 *
 * {@snippet :
 * try (Snapshot ready = vm.snapshot()) {
 *   ready.writeTo(Path.of("ready.vmm"));
 * }
 * try (Snapshot ready = Snapshot.read(Path.of("ready.vmm"));
 *     Vm vm = ready.resume()) {
 *   vm.console("com1").expect("$ ", Duration.ofSeconds(5));
 * }
 * }
 */
public interface Snapshot extends AutoCloseable {

  /** Its identity, new for each snapshot taken. */
  UUID id();

  /** The specification of the machine, as far as a file can hold it: host resources by name. */
  VmSpec spec();

  /**
   * Writes it to a stream, which is flushed but not closed. No seek is needed: a file, a socket, a
   * pipe, a compressing stream all do.
   */
  default void writeTo(OutputStream out) throws IOException {
    writeTo(out, SaveOptions.standard());
  }

  /** The same with options. */
  void writeTo(OutputStream out, SaveOptions options) throws IOException;

  /**
   * Writes it to a file: the old file or the whole new one is there at any moment. On return it is
   * durable. A new file may be read and written by its owner alone, since it holds all of the
   * guest's memory; a file that is replaced keeps its mode, owner and group.
   *
   * <p>It is written under a hidden name beside the file first. A failure and a signal that ends
   * the JVM remove that; what a killed process has left, the next call for the same file removes.
   *
   * @throws java.nio.file.FileSystemException if it can't be written, such as on a full disk, or
   *     the old file is another user's and this process may not make the new one so; it names the
   *     file
   */
  default void writeTo(Path file) throws IOException {
    writeTo(file, SaveOptions.standard());
  }

  /** The same with options. */
  void writeTo(Path file, SaveOptions options) throws IOException;

  /** What it took to take it; empty if it was read. */
  Optional<CaptureReport> captureReport();

  /**
   * The snapshot that it is written against, if it is not written as a whole: the one it was taken
   * {@linkplain Vm#snapshot(Snapshot) since}. Whatever it is written as, all of it is here.
   */
  Optional<UUID> parentId();

  /**
   * A new machine that goes on from here, running, on the best backend that can take it. Its memory
   * is this snapshot's, shared copy-on-write: nothing is copied now, and only what the machine
   * writes takes room of its own.
   *
   * @throws SnapshotException.MissingDevice if a device's factory is not present
   * @throws SnapshotException.Incompatible if no backend can run it, or a device can't be what the
   *     snapshot says
   */
  default Vm resume() {
    return resume(ResumeOptions.standard());
  }

  /** A new machine that goes on from here, running, on a chosen backend. */
  default Vm resume(BackendChoice backend) {
    return resume(ResumeOptions.standard().on(backend));
  }

  /**
   * A new machine that goes on from here.
   *
   * @throws SnapshotException.MissingDevice if a device's factory is not present
   * @throws SnapshotException.Incompatible if no backend can run it, or a device can't be what the
   *     snapshot says, such as one of two at the same ports
   * @throws IllegalArgumentException if an option names a device that is not there
   * @throws DeviceException if devices are rebound and one can't be what it then is, such as one
   *     with other memory
   */
  Vm resume(ResumeOptions options);

  /** A new machine that stands here, paused. */
  default Vm load(BackendChoice backend) {
    return resume(ResumeOptions.standard().on(backend).standing());
  }

  /**
   * A clone that goes on from here, running: see {@link ResumeOptions.Identity#CLONE}. Clones do
   * not depend on one another, nor on this snapshot being open.
   */
  default Vm fork() {
    return resume(ResumeOptions.standard().asClone());
  }

  /**
   * So many clones, each named after the snapshot's machine with a number behind. A name that would
   * be too long with it is cut.
   *
   * @throws IllegalArgumentException if {@code count} is less than 1
   */
  default List<Vm> fork(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("count: " + count + " is less than 1");
    }
    List<Vm> clones = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        String name = VmSpec.numbered(spec().name(), i + 1);
        clones.add(resume(ResumeOptions.standard().asClone().named(name)));
      }
      return List.copyOf(clones);
    } catch (Throwable e) {
      clones.forEach(Vm::close);
      throw e;
    }
  }

  /** Releases its copy of the memory. Machines made from it live on. */
  @Override
  void close();

  /**
   * Reads a snapshot written by {@link #writeTo}; reads to its end and not further. Everything is
   * checked before this returns.
   *
   * @throws SnapshotException of the kind that fits, if the bytes are not a whole, readable
   *     snapshot
   */
  static Snapshot read(InputStream in) throws IOException {
    return read(in, SnapshotLimits.standard());
  }

  /** The same within limits of one's own. */
  static Snapshot read(InputStream in, SnapshotLimits limits) throws IOException {
    return read(in, limits, SnapshotResolver.none());
  }

  /**
   * Reads a snapshot, and if it is a delta its parents, of which there may be any number. What is
   * read is whole: {@link #parentId} is absent, and it is written as a whole.
   *
   * @throws SnapshotException.MissingParent if the resolver has not got a parent
   * @throws SnapshotException.WrongParent if it gives another snapshot than was asked for
   */
  static Snapshot read(InputStream in, SnapshotLimits limits, SnapshotResolver parents)
      throws IOException {
    Objects.requireNonNull(in, "in");
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(parents, "parents");
    return VmEngine.get().read(in, limits, parents);
  }

  /**
   * Reads a snapshot from a file. One in {@link SnapshotLayout#MAPPED} is mapped instead, if the
   * file can be opened for writing (which the JDK asks for, though nothing is ever written): its
   * memory is not checked then, and the file must stay as it is while the snapshot is open and
   * machines made from it live. That it was changed is noticed when the snapshot is used, by size
   * and time of modification; a machine that runs can't notice. To replace the file by another is
   * harmless.
   */
  static Snapshot read(Path file) throws IOException {
    return read(file, SnapshotResolver.none());
  }

  /** Reads a snapshot from a file, and if it is a delta its parents. */
  static Snapshot read(Path file, SnapshotResolver parents) throws IOException {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(parents, "parents");
    return VmEngine.get().read(file, SnapshotLimits.standard(), parents);
  }
}
