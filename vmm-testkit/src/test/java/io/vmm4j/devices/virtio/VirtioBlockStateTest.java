package io.vmm4j.devices.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import io.vmm4j.api.state.FieldMap;
import io.vmm4j.devices.block.BlockRuns;
import io.vmm4j.devices.block.DiskFormat;
import io.vmm4j.devices.pci.PciMachine;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockFactory;
import io.vmm4j.devices.virtioblock.VirtioBlockState;
import io.vmm4j.testkit.TestMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** States and configurations of earlier versions, as their files have them. */
class VirtioBlockStateTest {
  private static final VirtioBlockFactory FACTORY = new VirtioBlockFactory();

  @Test
  void version_1_had_raw_files_only_and_a_fixed_overlay() {
    Map<String, Object> fields = new LinkedHashMap<>();
    fields.put("file", "disk.raw");
    fields.put("mode", "OVERLAY");
    fields.put("serial", "x");
    fields.put("queues", 2L);
    fields.put("overlayBytes", 256L << 20);

    assertThat(FACTORY.configSchema().fromFields(1, FieldMap.of(fields)))
        .isEqualTo(
            new VirtioBlockConfig(
                "disk.raw", DiskMode.OVERLAY, "x", 2, 256L << 20, DiskFormat.RAW));
  }

  @Test
  void version_1_did_not_say_which_files_they_were(@TempDir Path directory) throws IOException {
    Path file = Files.write(directory.resolve("disk"), new byte[4096]);
    try (TestMachine machine =
        PciMachine.bus()
            .device(VirtioDriver.PATH, FACTORY, new VirtioBlockConfig(file.toString()))
            .build()) {
      byte[] blocks = new byte[24];
      blocks[0] = 7;
      blocks[8] = 8;
      blocks[17] = 1; // 256
      FieldMap version1 =
          machine.state().without("files").without("baseBytes").with("overlay", blocks);

      VirtioBlockState state = FACTORY.stateSchema().fromFields(1, version1);

      assertThat(state.overlay()).isEqualTo(BlockRuns.encode(new long[] {7, 8, 256}));
      assertThat(state.files()).isEmpty();
      assertThat(state.diskBytes()).isEqualTo(4096);
      assertThat(state.baseBytes()).isEqualTo(4096);
    }
  }
}
