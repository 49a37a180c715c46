package io.vmm4j.engine.machine;

import static io.vmm4j.engine.machine.SerialShell.answer;
import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.Backends;
import io.vmm4j.api.Console;
import io.vmm4j.api.Disk;
import io.vmm4j.api.MemorySize;
import io.vmm4j.api.Snapshot;
import io.vmm4j.api.Vm;
import io.vmm4j.api.VmSpec;
import io.vmm4j.api.boot.LinuxBoot;
import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.block.DiskFiles;
import io.vmm4j.devices.block.DiskFormat;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.uart.Uart;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Disks of the virtio kind, with Linux's driver. */
@Timeout(1200)
class LinuxDiskTest {
  private static final Duration PATIENCE = Duration.ofMinutes(5);
  private static final String PROMPT = "vmm4j:/root# ";
  private static final int DISK_BYTES = 16 << 20;

  @TempDir private Path directory;

  private Path disk(String name, long seed) throws IOException {
    byte[] contents = new byte[DISK_BYTES];
    new Random(seed).nextBytes(contents);
    return Files.write(directory.resolve(name), contents);
  }

  private static VmSpec.Builder linux() {
    GuestImages images = GuestImages.required();
    return VmSpec.builder("linux")
        .backend(Backends.software())
        .memory(MemorySize.mebibytes(128))
        .boot(
            LinuxBoot.kernel(images.kernel())
                .initrd(images.virtio())
                .commandLine("console=ttyS0 panic=-1"))
        .device("com1", Uart.com1())
        .device("pci", HostBridgeConfig.DEFAULT);
  }

  private static void toTheShell(Vm vm) {
    System.out.println("BACKEND: software");
    Console console = vm.console("com1");
    console.expect(PROMPT, PATIENCE);
    console.sendLine("stty -echo; PS1=; echo qui''et");
    console.expect("quiet", PATIENCE);
  }

  private static String digest(Vm vm, String device) {
    answer(vm, "sync; echo 3 >/proc/sys/vm/drop_caches");
    return answer(vm, "sha256sum <" + device).split(" ")[0];
  }

  private static String digest(byte[] bytes) throws NoSuchAlgorithmException {
    return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
  }

  @Test
  void anOverlayIsPartOfSnapshotsAndForksAndLeavesTheFileAlone() throws Exception {
    Path file = disk("disk.raw", 1);
    String before = digest(Files.readAllBytes(file));
    VmSpec spec =
        linux()
            .device(
                "pci/00:03.0",
                new VirtioBlockConfig(file.toString(), DiskMode.OVERLAY, "vmm4j-disk", 2))
            .build();
    try (Vm vm = Vm.start(spec)) {
      toTheShell(vm);
      assertThat(digest(vm, "/dev/vda")).isEqualTo(before);
      assertThat(answer(vm, "cat /sys/block/vda/serial")).isEqualTo("vmm4j-disk");
      assertThat(answer(vm, "cat /sys/block/vda/size /sys/block/vda/ro"))
          .isEqualTo(DISK_BYTES / 512 + "\n0");

      answer(vm, "dd if=/dev/urandom of=/dev/vda bs=1000 seek=77 count=900 conv=fsync");
      String written = digest(vm, "/dev/vda");
      assertThat(written).isNotEqualTo(before);
      try (Snapshot snapshot = vm.snapshot()) {
        answer(vm, "dd if=/dev/zero of=/dev/vda bs=64k conv=fsync");
        assertThat(digest(vm, "/dev/vda")).isEqualTo(digest(new byte[DISK_BYTES]));

        try (Vm fork = snapshot.fork()) {
          assertThat(digest(fork, "/dev/vda")).as("in a fork").isEqualTo(written);
          answer(fork, "dd if=/dev/zero of=/dev/vda bs=4k count=1 conv=fsync");
        }
        vm.restore(snapshot);
        assertThat(digest(vm, "/dev/vda")).as("after a rewind").isEqualTo(written);
      }
    }
    assertThat(digest(Files.readAllBytes(file))).as("the file").isEqualTo(before);
  }

  @Test
  void whatIsWrittenDirectlyIsInTheFile() throws Exception {
    Path file = disk("direct.raw", 2);
    Path other = disk("readonly.raw", 3);
    VmSpec spec =
        linux()
            .device("pci/00:03.0", new VirtioBlockConfig(file.toString(), DiskMode.DIRECT, "", 1))
            .device(
                "pci/00:04.0", new VirtioBlockConfig(other.toString(), DiskMode.READONLY, "", 1))
            .build();
    String kept = digest(Files.readAllBytes(other));
    try (Vm vm = Vm.start(spec)) {
      toTheShell(vm);
      assertThat(answer(vm, "cat /sys/block/vdb/ro")).isEqualTo("1");
      assertThat(answer(vm, "dd if=/dev/zero of=/dev/vdb count=1 2>&1 | head -n 1"))
          .containsIgnoringCase("not permitted");
      answer(vm, "yes vmm4j | dd of=/dev/vda bs=64k count=256 iflag=fullblock conv=fsync");
      byte[] expected = new byte[DISK_BYTES];
      byte[] line = "vmm4j\n".getBytes(StandardCharsets.US_ASCII);
      for (int i = 0; i < expected.length; i++) {
        expected[i] = line[i % line.length];
      }
      assertThat(digest(Files.readAllBytes(file))).isEqualTo(digest(expected));
      assertThat(answer(vm, "blkdiscard -o 4096 -l 8192 /dev/vda; echo $?")).isEqualTo("0");
      Arrays.fill(expected, 4096, 12288, (byte) 0);
      assertThat(digest(vm, "/dev/vda")).isEqualTo(digest(expected));
    }
    assertThat(digest(Files.readAllBytes(other))).isEqualTo(kept);
  }

  /** The same disk as a qcow2 image, which the machine of a raw one has written. */
  private Path qcow2(Path raw) throws IOException {
    Path image = directory.resolve("disk.qcow2");
    VmSpec spec = linux().device("pci/00:03.0", new VirtioBlockConfig(raw.toString())).build();
    try (Vm vm = Vm.create(spec)) {
      vm.device("pci/00:03.0", Disk.class).exportTo(image, Disk.Format.QCOW2);
    }
    return image;
  }

  @Test
  void aQcow2ImageIsReadGrowsAndIsExportedWhileLinuxRuns() throws Exception {
    Path file = disk("disk.raw", 4);
    String before = digest(Files.readAllBytes(file));
    Path image = qcow2(file);
    String imageBefore = digest(Files.readAllBytes(image));
    VmSpec spec =
        linux()
            .device(
                "pci/00:03.0", new VirtioBlockConfig(image.toString()).withFormat(DiskFormat.QCOW2))
            .build();
    try (Vm vm = Vm.start(spec)) {
      toTheShell(vm);
      assertThat(digest(vm, "/dev/vda")).isEqualTo(before);
      Disk disk = vm.device("pci/00:03.0", Disk.class);
      disk.resize(2 * DISK_BYTES);
      String sectors = Integer.toString(2 * DISK_BYTES / 512);
      answer(vm, "until [ $(cat /sys/block/vda/size) = " + sectors + " ]; do :; done");
      answer(vm, "dd if=/dev/urandom of=/dev/vda bs=64k seek=200 count=200 conv=fsync");
      String written = digest(vm, "/dev/vda");

      // when it is exported while Linux writes elsewhere
      vm.console("com1").sendLine("dd if=/dev/zero of=/dev/vda bs=4k count=3000; echo fi''lled");
      Path exported = directory.resolve("exported");
      disk.exportTo(exported, Disk.Format.QCOW2);
      vm.console("com1").expect("filled", PATIENCE);
      String filled = digest(vm, "/dev/vda");
      assertThat(filled).isNotEqualTo(written);
      Path raw = directory.resolve("exported.raw");
      disk.exportTo(raw, Disk.Format.RAW);

      // then what was exported is what Linux has written
      assertThat(digest(Files.readAllBytes(raw))).isEqualTo(filled);
      try (BlockStorage copy = DiskFiles.open(exported, DiskFormat.QCOW2, false)) {
        assertThat(copy.sizeBytes()).isEqualTo(2 * DISK_BYTES);
      }
      assertThat(digest(Files.readAllBytes(image))).isEqualTo(imageBefore);
    }
  }
}
