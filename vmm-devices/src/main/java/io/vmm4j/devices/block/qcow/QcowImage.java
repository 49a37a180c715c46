package io.vmm4j.devices.block.qcow;

import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.block.DiskImageException;
import io.vmm4j.devices.block.RawFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * An image that is read and never written, with the files behind it. Its tables may say anything:
 * whatever they lead to is checked, and what is read at once is bounded.
 */
public final class QcowImage implements BlockStorage {
  /** The most files one behind another. */
  static final int MOST_FILES = 16;

  private static final Pattern PROTOCOL = Pattern.compile("[A-Za-z0-9+.-]+:.*", Pattern.DOTALL);

  private final Path path;
  private final RawFile file;
  private final QcowHeader header;
  private final ClusterMap map;
  private final CompressedClusters compressed;
  private final Optional<BlockStorage> backing;

  private QcowImage(Path path, RawFile file, QcowHeader header, Optional<BlockStorage> backing) {
    this.path = path;
    this.file = file;
    this.header = header;
    this.backing = backing;
    this.map = new ClusterMap(path, file, header);
    this.compressed = new CompressedClusters(path, file, header);
  }

  /**
   * Opens an image that may name no other file.
   *
   * @param file the opened file, which belongs to the image from now on if this returns
   * @throws DiskImageException if it can't be read, or names another file
   */
  public static QcowImage alone(Path path, RawFile file) throws IOException {
    QcowHeader header = QcowHeader.read(path, file);
    if (header.backing().isPresent()) {
      throw new DiskImageException(
          path,
          ("it is a qcow2 image that has its contents from '%s' too; if you trust it to name files"
                  + " of this host, say format=qcow2")
              .formatted(header.backing().get().name()));
    }
    return new QcowImage(path, file, header, Optional.empty());
  }

  /**
   * Opens an image and the files behind it.
   *
   * @param file the opened file, which belongs to the image from now on if this returns
   * @throws DiskImageException if one of them can't be read, or they go round
   */
  public static QcowImage withBacking(Path path, RawFile file) throws IOException {
    Set<Path> seen = new HashSet<>();
    seen.add(path.toRealPath());
    return withBacking(path, file, seen);
  }

  private static QcowImage withBacking(Path path, RawFile file, Set<Path> seen) throws IOException {
    QcowHeader header = QcowHeader.read(path, file);
    if (header.backing().isEmpty()) {
      return new QcowImage(path, file, header, Optional.empty());
    }
    QcowHeader.Backing named = header.backing().get();
    Path behind = resolve(path, named.name());
    RawFile opened;
    try {
      if (!seen.add(behind.toRealPath())) {
        throw new DiskImageException(path, "its backing file '%s' leads back".formatted(behind));
      }
      if (seen.size() > MOST_FILES) {
        throw new DiskImageException(
            path, "there are more than %d files one behind another".formatted(MOST_FILES));
      }
      opened = RawFile.open(behind, false);
    } catch (DiskImageException e) {
      throw e;
    } catch (IOException e) {
      throw new DiskImageException(path, "its backing file can't be opened: " + e);
    }
    try {
      BlockStorage storage =
          switch (named.format()) {
            case "raw" -> opened;
            case "qcow2" -> withBacking(behind, opened, seen);
            default ->
                throw new DiskImageException(
                    path,
                    "its backing file '%s' is of the format '%s'; raw and qcow2 are read"
                        .formatted(behind, named.format()));
          };
      return new QcowImage(path, file, header, Optional.of(storage));
    } catch (IOException | RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  private static Path resolve(Path path, String name) throws IOException {
    if (PROTOCOL.matcher(name).matches()) {
      throw new DiskImageException(
          path, "its backing file '%s' is no plain name of a file".formatted(name));
    }
    try {
      return path.resolveSibling(name);
    } catch (InvalidPathException e) {
      throw new DiskImageException(path, "its backing file: " + e.getMessage());
    }
  }

  @Override
  public List<Path> files() {
    List<Path> all = new ArrayList<>();
    all.add(path);
    backing.ifPresent(behind -> all.addAll(behind.files()));
    return all;
  }

  @Override
  public long sizeBytes() {
    return header.sizeBytes();
  }

  @Override
  public boolean isReadOnly() {
    return true;
  }

  @Override
  public void read(long offset, MemorySegment target) throws IOException {
    long done = 0;
    while (done < target.byteSize()) {
      Extent extent = map.at(offset + done, target.byteSize() - done);
      read(extent, offset + done, target.asSlice(done, extent.length()));
      done += extent.length();
    }
  }

  private void read(Extent extent, long offset, MemorySegment target) throws IOException {
    switch (extent) {
      case Extent.Zeros zeros -> target.fill((byte) 0);
      case Extent.Behind behind -> readBehind(offset, target);
      case Extent.Plain plain -> readFile(plain.place(), target);
      case Extent.Compressed packed ->
          MemorySegment.copy(
              compressed.cluster(packed.entry()),
              (int) (offset % header.clusterBytes()),
              target,
              ValueLayout.JAVA_BYTE,
              0,
              (int) target.byteSize());
    }
  }

  /** A file that is shorter than the disk before it goes on with zeros. */
  private void readBehind(long offset, MemorySegment target) throws IOException {
    long there =
        Math.clamp(backing.map(BlockStorage::sizeBytes).orElse(0L) - offset, 0, target.byteSize());
    if (there > 0) {
      backing.get().read(offset, target.asSlice(0, there));
    }
    target.asSlice(there).fill((byte) 0);
  }

  /** The file may end within its last cluster. */
  private void readFile(long place, MemorySegment target) throws IOException {
    long there = Math.min(target.byteSize(), file.sizeBytes() - place);
    if (there <= 0) {
      throw new DiskImageException(
          path, "a cluster at 0x%x is beyond the end of the file".formatted(place));
    }
    file.read(place, target.asSlice(0, there));
    target.asSlice(there).fill((byte) 0);
  }

  @Override
  public void write(long offset, MemorySegment source) throws IOException {
    throw new DiskImageException(path, "a qcow2 image can't be written to");
  }

  @Override
  public void zero(long offset, long length) throws IOException {
    throw new DiskImageException(path, "a qcow2 image can't be written to");
  }

  @Override
  public void grow(long bytes) throws IOException {
    throw new DiskImageException(path, "a qcow2 image can't be written to");
  }

  /** Nothing is to be done. */
  @Override
  public void flush() {}

  @Override
  public void close() throws IOException {
    try (file) {
      if (backing.isPresent()) {
        backing.get().close();
      }
    }
  }
}
