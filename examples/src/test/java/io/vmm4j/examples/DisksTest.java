package io.vmm4j.examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.devices.block.BlockStorage;
import io.vmm4j.devices.block.DiskFiles;
import io.vmm4j.devices.block.DiskFormat;
import io.vmm4j.guests.GuestImages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The example of disks does what it says. */
@Timeout(600)
class DisksTest {
  @Test
  void eachForkHasADiskOfItsOwn(@TempDir Path directory) throws IOException {
    GuestImages images = GuestImages.required();
    Disks.run(images.kernel(), images.virtio(), directory);

    assertThat(beginning(directory.resolve("red.qcow2"))).isEqualTo("red\n\0");
    assertThat(beginning(directory.resolve("blue.qcow2"))).isEqualTo("blue\n");
    assertThat(Files.readAllBytes(directory.resolve("base.raw"))).containsOnly(0);
  }

  private static String beginning(Path image) throws IOException {
    try (BlockStorage disk = DiskFiles.open(image, DiskFormat.QCOW2, false)) {
      byte[] bytes = new byte[5];
      disk.read(0, MemorySegment.ofArray(bytes));
      return new String(bytes, StandardCharsets.US_ASCII);
    }
  }
}
