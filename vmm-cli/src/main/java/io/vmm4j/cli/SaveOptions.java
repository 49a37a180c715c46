package io.vmm4j.cli;

import io.vmm4j.snapshot.AtomicFileWriter;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** When to save a running machine, and where. */
final class SaveOptions {
  @Option(
      names = "--save-when",
      paramLabel = "TEXT",
      description = "Save a snapshot when the serial output first contains TEXT.")
  @Nullable String when;

  @Option(
      names = "--save",
      paramLabel = "FILE",
      description =
          "Where --save-when saves. The file is there whole or not at all; one of that name is"
              + " replaced. If it can't be written the guest goes on, and exit code 10 takes the"
              + " place of its own.")
  @Nullable Path file;

  @Option(
      names = "--exit-after-save",
      description =
          "End the machine once it is saved, with exit code 0. If it can't be saved the machine ends"
              + " too, with exit code 10.")
  boolean exitAfterSave;

  @Option(
      names = "--live",
      description =
          "Save while the machine runs: it stands only for what it has written meanwhile. What is"
              + " saved is a little behind TEXT.")
  boolean live;

  @Mixin PackOptions pack = new PackOptions();

  /**
   * Refuses options that lack one another, and a file that can't be written.
   *
   * @throws IOException if the file can't be written
   */
  void check() throws IOException {
    if ((when == null) != (file == null)) {
      throw new UsageException(
          when == null
              ? "--save FILE also needs --save-when TEXT"
              : "--save-when TEXT also needs --save FILE");
    }
    if (exitAfterSave && when == null) {
      throw new UsageException("--exit-after-save needs --save-when TEXT and --save FILE");
    }
    if (when == null && (live || pack.given())) {
      throw new UsageException(
          "--live, --compression and --layout tell how --save saves: it is missing");
    }
    if (exitAfterSave && live) {
      throw new UsageException(
          "--live and --exit-after-save exclude one another: the machine ends where it is saved");
    }
    pack.check();
    if (when != null && when.isEmpty()) {
      throw new UsageException("--save-when: the text is empty");
    }
    if (file != null) {
      AtomicFileWriter.check(file);
    }
  }
}
