package io.vmm4j.devices.virtioblock;

import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.block.FileIdentity;
import io.vmm4j.devices.block.RawFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The files that a disk's contents came from, as they were when the guest saw them first. A
 * snapshot names them, so that it is not restored onto others unnoticed.
 */
final class DiskOrigin {
  private final BlockStorage storage;
  private final List<Path> files;
  private List<FileIdentity> known = List.of();

  /** The origin of what is open. */
  DiskOrigin(BlockStorage storage) {
    this.storage = storage;
    this.files = storage.files();
  }

  private FileIdentity identity(Path file) throws IOException {
    return storage instanceof RawFile open && !open.isReadOnly()
        ? FileIdentity.of(file, open)
        : FileIdentity.of(file);
  }

  /** Looks at the files as they are now. */
  void look() throws IOException {
    List<FileIdentity> found = new ArrayList<>();
    for (Path file : files) {
      found.add(identity(file));
    }
    known = List.copyOf(found);
  }

  /** Which files they are. */
  List<FileIdentity> identities() {
    return known;
  }

  /**
   * Takes on what a snapshot says of the files, if they are as it says.
   *
   * @param saved what it says; nothing where it is of an earlier release, and then it is not known
   * @param thorough whether contents are compared even of a file that nobody has written to
   * @return what differs, if anything does
   */
  Optional<String> adopt(List<FileIdentity> saved, boolean thorough) throws IOException {
    if (saved.isEmpty()) {
      look();
      return Optional.empty();
    }
    if (saved.size() != files.size()) {
      return Optional.of(
          "it was in %d files, one behind another, and is in %d"
              .formatted(saved.size(), files.size()));
    }
    List<FileIdentity> found = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      Path file = files.get(i);
      FileIdentity then = saved.get(i);
      FileIdentity.Quick quick = FileIdentity.Quick.of(file);
      FileIdentity now = !thorough && quick.isUntouched(then) ? then : identity(file);
      Optional<String> difference = then.difference(now);
      if (difference.isPresent()) {
        return Optional.of("%s: %s".formatted(file, difference.get()));
      }
      found.add(now);
    }
    known = List.copyOf(found);
    return Optional.empty();
  }
}
