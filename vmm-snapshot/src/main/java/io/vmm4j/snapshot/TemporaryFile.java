package io.vmm4j.snapshot;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributeView;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * A file beside another, whose place it takes once it is complete. Only its owner may use it
 * meanwhile: it holds a guest's memory.
 *
 * <p>It is gone after every orderly end: a failure, and the end of the JVM by a signal, too. After
 * any other end the next one for the same place removes it. To tell whether its process lives it is
 * locked: the kernel releases the lock of a dead one. It is called {@code .NAME.PROCESS-FILE.tmp},
 * where {@code PROCESS} is a UUID that each process draws.
 */
final class TemporaryFile implements AutoCloseable {
  private static final String OF_THIS_PROCESS = UUID.randomUUID().toString();
  private static final String SUFFIX = ".tmp";
  private static final Pattern UNIQUE = Pattern.compile("([0-9a-f-]{36})-[0-9a-f]{8}");
  private static final Set<PosixFilePermission> OWNER_ALONE =
      PosixFilePermissions.fromString("rw-------");
  private static final int ATTEMPTS = 10;

  private final Path target;
  private final Path path;
  private final FileChannel channel;
  private final Removal removal;
  private Set<PosixFilePermission> finalMode = OWNER_ALONE;

  private TemporaryFile(Path target, Path path, FileChannel channel, Removal removal) {
    this.target = target;
    this.path = path;
    this.channel = channel;
    this.removal = removal;
  }

  /** Removes a file when the JVM ends, also while it is being made. */
  private static final class Removal {
    private final Path path;
    private final Thread hook = Thread.ofPlatform().name("vmm4j-cleanup").unstarted(this::run);
    private boolean hasRun;

    Removal(Path path) {
      this.path = path;
    }

    /** Has it run when the JVM ends. */
    void register() {
      try {
        Runtime.getRuntime().addShutdownHook(hook);
      } catch (IllegalStateException e) {
        return; // the JVM ends already; whoever writes now has to end in time
      }
    }

    /** There is nothing to remove any more. */
    void cancel() {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        return; // the JVM ends, and the hook finds nothing
      }
    }

    /** Makes the file, unless this has run. */
    synchronized FileChannel create(Path target, FileAttribute<?>... mode) throws IOException {
      refuseIfRun(target);
      return FileChannel.open(
          path, Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE), mode);
    }

    /** For a writer that has lost its file to this. */
    synchronized void refuseIfRun(Path target) throws IOException {
      if (hasRun) {
        throw new FileSystemException(target.toString(), null, "the process ends");
      }
    }

    private synchronized void run() {
      hasRun = true;
      try {
        Files.deleteIfExists(path);
      } catch (IOException e) {
        return; // the next to write there finds it
      }
    }
  }

  /**
   * Makes one, after removing those that dead processes have left.
   *
   * @param target whose place it is to take; its directory is there
   * @throws FileSystemException if the target is another user's, and this process can't keep it so
   */
  static TemporaryFile beside(Path target) throws IOException {
    removeLeftovers(target);
    for (int i = 0; i < ATTEMPTS; i++) {
      Optional<TemporaryFile> made = create(target);
      if (made.isPresent()) {
        try {
          made.get().adoptOwner();
          return made.get();
        } catch (Throwable e) {
          made.get().close();
          throw e;
        }
      }
    }
    throw new FileSystemException(
        target.toString(), null, "files beside it are removed as soon as they are made");
  }

  private static Optional<TemporaryFile> create(Path target) throws IOException {
    String unique = OF_THIS_PROCESS + "-" + UUID.randomUUID().toString().substring(0, 8);
    Path path = target.resolveSibling("." + target.getFileName() + "." + unique + SUFFIX);
    FileAttribute<?>[] mode =
        hasModes(path)
            ? new FileAttribute<?>[] {PosixFilePermissions.asFileAttribute(OWNER_ALONE)}
            : new FileAttribute<?>[0];
    // The hook comes first: a signal between the two would leave the file.
    Removal removal = new Removal(path);
    removal.register();
    FileChannel channel;
    try {
      channel = removal.create(target, mode);
    } catch (AccessDeniedException e) {
      removal.cancel();
      throw new AccessDeniedException(target.toString(), null, "its directory can't be written to");
    } catch (Throwable e) {
      removal.cancel();
      throw e;
    }
    TemporaryFile made = new TemporaryFile(target, path, channel, removal);
    // Another process may have taken it for a leftover before it was locked.
    if (made.lock() && Files.exists(path)) {
      return Optional.of(made);
    }
    made.close();
    removal.refuseIfRun(target);
    return Optional.empty();
  }

  private static boolean hasModes(Path path) throws IOException {
    Path directory = Objects.requireNonNull(path.getParent(), "a file has a directory");
    return Files.getFileStore(directory).supportsFileAttributeView(PosixFileAttributeView.class);
  }

  private boolean lock() {
    try {
      return channel.tryLock() != null;
    } catch (IOException e) {
      return true; // no locks here: then nobody takes it for a leftover either
    }
  }

  /** What it is written through. */
  FileChannel channel() {
    return channel;
  }

  /** Gives it the owner and group of the target, which is replaced with the target's mode. */
  private void adoptOwner() throws IOException {
    if (!hasModes(path) || !Files.exists(target)) {
      return;
    }
    PosixFileAttributes old = Files.readAttributes(target, PosixFileAttributes.class);
    PosixFileAttributeView view =
        Objects.requireNonNull(Files.getFileAttributeView(path, PosixFileAttributeView.class));
    PosixFileAttributes own = view.readAttributes();
    finalMode = EnumSet.noneOf(PosixFilePermission.class);
    finalMode.addAll(old.permissions());
    if (!own.group().equals(old.group()) && !setGroup(view, old.group())) {
      // Another group must not get what the old one had.
      finalMode.removeAll(PosixFilePermissions.fromString("---rwx---"));
    }
    if (!own.owner().equals(old.owner())) {
      try {
        view.setOwner(old.owner());
      } catch (FileSystemException e) {
        throw new FileSystemException(
            target.toString(),
            null,
            "it belongs to %s, which this process can't give its replacement to"
                .formatted(old.owner().getName()));
      }
    }
  }

  private static boolean setGroup(PosixFileAttributeView view, GroupPrincipal group)
      throws IOException {
    try {
      view.setGroup(group);
      return true;
    } catch (FileSystemException e) {
      return false;
    }
  }

  /** Makes it durable and puts it in the target's place. */
  void replaceTarget() throws IOException {
    removal.refuseIfRun(target);
    if (!finalMode.equals(OWNER_ALONE)) {
      Files.setPosixFilePermissions(path, finalMode);
    }
    channel.force(true);
    // Before the channel is closed: with it the lock goes, and so would the file.
    try {
      Files.move(path, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (NoSuchFileException e) {
      removal.refuseIfRun(target);
      throw e;
    }
  }

  /** Closes it, and removes it if it has not taken the target's place. */
  @Override
  public void close() throws IOException {
    try {
      Files.deleteIfExists(path);
    } finally {
      channel.close();
      removal.cancel();
    }
  }

  private static void removeLeftovers(Path target) throws IOException {
    Path directory = Objects.requireNonNull(target.getParent(), "a file has a directory");
    String prefix = "." + target.getFileName() + ".";
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(directory, file -> isLeftover(file, prefix))) {
      for (Path file : files) {
        removeIfDead(file);
      }
    } catch (NoSuchFileException e) {
      throw e;
    } catch (FileSystemException e) {
      return; // a directory that can be written and not read
    }
  }

  private static boolean isLeftover(Path file, String prefix) {
    String name = file.getFileName().toString();
    if (!name.startsWith(prefix)
        || !name.endsWith(SUFFIX)
        || name.length() < prefix.length() + SUFFIX.length()) {
      return false;
    }
    var unique = UNIQUE.matcher(name.substring(prefix.length(), name.length() - SUFFIX.length()));
    return unique.matches() && !unique.group(1).equals(OF_THIS_PROCESS);
  }

  private static void removeIfDead(Path file) {
    if (!Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    try (FileChannel channel =
            FileChannel.open(file, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        Files.deleteIfExists(file);
      }
    } catch (IOException | OverlappingFileLockException e) {
      return; // another user's, or on a file system without locks: nobody can tell
    }
  }
}
