package io.vmm4j.api;

import java.io.IOException;
import java.io.InputStream;
import java.util.UUID;

/**
 * Finds the parents of a delta, such as in a directory or an object store. Used by one thread at a
 * time.
 *
 * {@snippet :
 * SnapshotResolver beside = (id, memorySha256) -> Files.newInputStream(directory.resolve(id + ".vmm"));
 * }
 */
@FunctionalInterface
public interface SnapshotResolver {

  /**
   * Opens a snapshot at its beginning. It is called twice for each parent and gives the same
   * snapshot each time. The caller closes the stream, which need not be buffered, before it asks
   * for another.
   *
   * <p>The caller checks that what it reads is the snapshot it asked for, so that a resolver can
   * give what it has under the name.
   *
   * @param id the snapshot's identity
   * @param memorySha256 the digest of its memory, in hexadecimal; every snapshot of the same id has
   *     the same, however it is stored
   * @throws SnapshotException.MissingParent if there is none; a {@link
   *     java.nio.file.NoSuchFileException} or {@link java.io.FileNotFoundException} means the same
   */
  InputStream open(UUID id, String memorySha256) throws IOException;

  /** A resolver that has nothing: every delta is refused. */
  static SnapshotResolver none() {
    return (id, memorySha256) -> {
      throw new SnapshotException.MissingParent(id.toString());
    };
  }
}
