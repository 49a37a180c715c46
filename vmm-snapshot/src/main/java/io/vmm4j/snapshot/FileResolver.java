package io.vmm4j.snapshot;

import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.SnapshotLimits;
import io.vmm4j.api.SnapshotResolver;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Finds snapshots among files by the id in their prologues, whatever the files are called. The
 * files are looked at once, when the first parent is asked for. For one thread.
 */
public final class FileResolver implements SnapshotResolver {
  private final List<Path> places;
  private final Map<UUID, Path> files = new HashMap<>();
  private boolean indexed;

  private FileResolver(Collection<Path> places) {
    this.places = List.copyOf(places);
  }

  /**
   * A resolver of files.
   *
   * @param places snapshots, and directories whose regular files are looked at as far as they are
   *     snapshots, without those of the directories in them
   */
  public static FileResolver of(Collection<Path> places) {
    return new FileResolver(places);
  }

  /**
   * Opens a parent.
   *
   * @throws SnapshotException if a file that was given by its name is no snapshot; names it
   * @throws FileSystemException if there is no such file
   */
  @Override
  public InputStream open(UUID id, String memorySha256) throws IOException {
    if (!indexed) {
      index();
      indexed = true;
    }
    Path file = files.get(id);
    if (file == null) {
      throw new SnapshotException.MissingParent(id.toString());
    }
    return Files.newInputStream(file);
  }

  private void index() throws IOException {
    for (Path place : places) {
      if (!Files.isDirectory(place)) {
        files.putIfAbsent(idOfGiven(place), place);
        continue;
      }
      for (Path file : filesIn(place)) {
        try {
          files.putIfAbsent(idOf(file), file);
        } catch (SnapshotException e) {
          // A directory may hold anything.
        }
      }
    }
  }

  private static List<Path> filesIn(Path directory) throws IOException {
    List<Path> found = new ArrayList<>();
    try (Stream<Path> entries = Files.list(directory)) {
      entries.filter(Files::isRegularFile).sorted().forEach(found::add);
    }
    return found;
  }

  private static UUID idOfGiven(Path file) throws IOException {
    try {
      return idOf(file);
    } catch (NoSuchFileException e) {
      // Not passed on as it is: to the caller of a resolver that means that it lacks the parent.
      throw new FileSystemException(
          file.toString(), null, "there is no such file, which was given as a parent");
    } catch (SnapshotException e) {
      throw e.inParent(file.toString());
    }
  }

  private static UUID idOf(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file), 512)) {
      return new SnapshotReader(in, SnapshotLimits.standard()).prologue().id();
    }
  }
}
