package io.vmm4j.engine.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Disk;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.ResumeOptions;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.SnapshotException;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmException;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.BootSource;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A snapshot is not restored onto a disk of other contents, unless the user wants that. */
@Timeout(120)
class DiskOriginTest {
  private static final String DISK = "pci/00:03.0";
  private static final int SMALL = 1 << 20;
  private static final long LARGE = 3L << 30;

  @TempDir private Path directory;
  private Path disk;
  private Path saved;

  @BeforeEach
  void makeDisk() throws IOException {
    byte[] contents = new byte[SMALL];
    new Random(1).nextBytes(contents);
    disk = Files.write(directory.resolve("disk"), contents);
    saved = directory.resolve("saved.vmm");
  }

  private Vm create(DiskMode mode) throws IOException {
    Path halt = Files.write(directory.resolve("halt"), new byte[] {(byte) 0xF4});
    return Vm.create(
        VmSpec.builder("disk")
            .backend(Backends.software())
            .memory(MemorySize.mebibytes(1))
            .boot(new BootSource.FlatRealMode(halt, 0x10000))
            .device("pci", HostBridgeConfig.DEFAULT)
            .device(DISK, new VirtioBlockConfig(disk.toString(), mode, "", 1))
            .build());
  }

  private void save(DiskMode mode) throws IOException {
    try (Vm vm = create(mode);
        Snapshot snapshot = vm.snapshot()) {
      snapshot.writeTo(saved);
    }
  }

  private void resume(ResumeOptions how) throws IOException {
    try (Snapshot snapshot = Snapshot.read(saved)) {
      snapshot.resume(how.standing()).close();
    }
  }

  private void refused(ResumeOptions how, String why) {
    assertRefused(() -> resume(how), why);
  }

  private static void assertRefused(ThrowingCallable what, String why) {
    assertThatThrownBy(what)
        .isInstanceOf(VmException.class)
        .hasMessageContaining(DISK)
        .hasMessageContaining("disk")
        .hasMessageContaining(why);
  }

  private static void change(Path file, long at) throws IOException {
    try (RandomAccessFile opened = new RandomAccessFile(file.toFile(), "rw")) {
      opened.seek(at);
      int old = opened.read();
      opened.seek(at);
      opened.write(old ^ 1);
    }
  }

  @ParameterizedTest
  @EnumSource(DiskMode.class)
  void otherContentsOfTheSameSizeAreRefusedUnlessTheUserInsists(DiskMode mode) throws IOException {
    save(mode);
    resume(ResumeOptions.standard());

    // when a bit is another one, though the time of the file is put back
    FileTime time = Files.getLastModifiedTime(disk);
    change(disk, SMALL / 2 + 17);
    Files.setLastModifiedTime(disk, time);

    // then
    refused(ResumeOptions.standard(), "its contents are others");
    resume(ResumeOptions.standard().acceptingChangedDisks());

    // and with the old contents it is the old disk
    change(disk, SMALL / 2 + 17);
    resume(ResumeOptions.standard());
  }

  @Test
  void aChangeOfALargeFileShowsInItsTime() throws IOException {
    try (RandomAccessFile opened = new RandomAccessFile(disk.toFile(), "rw")) {
      opened.setLength(LARGE);
    }
    save(DiskMode.OVERLAY);
    resume(ResumeOptions.standard());
    FileTime time = Files.getLastModifiedTime(disk);
    Files.setLastModifiedTime(disk, FileTime.fromMillis(time.toMillis() + 5000));
    refused(ResumeOptions.standard(), "written to, or copied without its time");
    Files.setLastModifiedTime(disk, time);
    resume(ResumeOptions.standard());
    change(disk, 0);
    Files.setLastModifiedTime(disk, time);
    refused(ResumeOptions.standard(), "its contents are others");
    change(disk, 0);
    change(disk, LARGE - 1);
    Files.setLastModifiedTime(disk, time);
    refused(ResumeOptions.standard(), "its contents are others");
  }

  @Test
  void aCopyIsTheSameDisk() throws IOException {
    save(DiskMode.OVERLAY);
    Path copy = Files.copy(disk, directory.resolve("copy"));
    ResumeOptions rebound =
        ResumeOptions.standard().rebind(DISK, new VirtioBlockConfig(copy.toString()));
    resume(rebound);
    change(copy, 5);
    refused(rebound, "its contents are others");
    Files.move(copy, disk, StandardCopyOption.REPLACE_EXISTING);
    refused(ResumeOptions.standard(), "its contents are others");
  }

  @Test
  void anotherSizeIsRefusedEvenIfTheUserInsists() throws IOException {
    save(DiskMode.READONLY);
    Files.write(disk, new byte[SMALL / 2]);
    refused(ResumeOptions.standard(), "has %d bytes".formatted(SMALL / 2));
    refused(ResumeOptions.standard().acceptingChangedDisks(), "bytes");
  }

  @Test
  void aRewindIsRefusedWhereTheFileWasWrittenToMeanwhile() throws IOException {
    try (Vm vm = create(DiskMode.DIRECT);
        Snapshot snapshot = vm.snapshot()) {
      vm.restore(snapshot);
      change(disk, 4711);
      assertRefused(() -> vm.restore(snapshot), "its contents are others");
      // the machine is as it was, and can be saved as it is now
      vm.snapshot().close();
      change(disk, 4711);
      vm.restore(snapshot);
    }
    try (Vm vm = create(DiskMode.OVERLAY);
        Snapshot snapshot = vm.snapshot();
        Vm fork = snapshot.fork()) {
      fork.restore(snapshot);
      assertThat(fork.snapshot().spec().devices()).containsKey(DISK);
    }
  }

  @Test
  void theErrorIsThatOfASnapshotThatDoesNotFit() throws IOException {
    save(DiskMode.OVERLAY);
    change(disk, 0);
    assertThatThrownBy(() -> resume(ResumeOptions.standard()))
        .isInstanceOf(SnapshotException.Incompatible.class);
  }

  /** A process that locks a file, or says that it can't. */
  static final class Locker {
    private Locker() {}

    /** Exit code 0 if it could be locked. */
    public static void main(String[] arguments) throws IOException {
      try (RandomAccessFile file = new RandomAccessFile(arguments[0], "rw")) {
        System.exit(file.getChannel().tryLock() == null ? 1 : 0);
      }
    }
  }

  private boolean canBeLockedElsewhere() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Locker.class.getName(),
                disk.toString())
            .inheritIO()
            .start();
    return process.waitFor() == 0;
  }

  @Test
  void noOtherProcessHasADiskThatIsWrittenDirectly() throws Exception {
    try (Vm vm = create(DiskMode.DIRECT)) {
      assertThat(canBeLockedElsewhere()).isFalse();
      try (Snapshot snapshot = vm.snapshot()) {
        snapshot.writeTo(saved);
        vm.restore(snapshot);
      }
      assertThat(canBeLockedElsewhere()).isFalse();
    }
    assertThat(canBeLockedElsewhere()).isTrue();
  }

  @Test
  void aDiskIsNotExportedOverItsOwnFile() throws IOException {
    Path link = Files.createSymbolicLink(directory.resolve("link"), disk);
    byte[] before = Files.readAllBytes(disk);
    for (DiskMode mode : DiskMode.values()) {
      try (Vm vm = create(mode)) {
        for (Path target : List.of(disk, link)) {
          assertThatThrownBy(() -> vm.device(DISK, Disk.class).exportTo(target, Disk.Format.RAW))
              .isInstanceOf(IOException.class)
              .hasMessageContaining("is a file of the disk pci/00:03.0 itself");
        }
      }
    }
    assertThat(disk).hasBinaryContent(before);
  }
}
