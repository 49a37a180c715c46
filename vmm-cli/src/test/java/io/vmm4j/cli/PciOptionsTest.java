package io.vmm4j.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.devices.block.DiskFormat;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.pcitest.PciTestConfig;
import io.vmm4j.devices.virtioballoon.VirtioBalloonConfig;
import io.vmm4j.devices.virtioblock.DiskMode;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtionet.VirtioNetConfig;
import io.vmm4j.devices.virtiorng.VirtioRngConfig;
import io.vmm4j.devices.virtiovsock.VirtioVsockConfig;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Disks, networks and entropy on the command line. */
class PciOptionsTest {
  private final PciOptions options = new PciOptions();

  private Map<String, DeviceConfig> devices(Map<String, DeviceConfig> others) {
    Map<String, DeviceConfig> all = new LinkedHashMap<>(others);
    options.addTo(all, DeviceTypes.present());
    return all;
  }

  @Test
  void nothingIsAddedUnlessAsked() {
    assertThat(devices(Map.of())).isEmpty();
  }

  @Test
  void devicesTakeTheFirstPlacesThatAreFreeBehindTheirBus() {
    options.disks = List.of("one.raw,format=qcow2", "two,,three.raw,mode=direct,serial=x");
    options.rng = true;
    options.balloon = true;
    options.net = "user";
    assertThat(devices(Map.of("pci/00:04.0", PciTestConfig.DEFAULT)))
        .containsExactly(
            Map.entry("pci", HostBridgeConfig.DEFAULT),
            Map.entry("pci/00:04.0", PciTestConfig.DEFAULT),
            Map.entry("pci/00:03.0", new VirtioBlockConfig("one.raw").withFormat(DiskFormat.QCOW2)),
            Map.entry(
                "pci/00:05.0", new VirtioBlockConfig("two,three.raw", DiskMode.DIRECT, "x", 1)),
            Map.entry("pci/00:06.0", VirtioNetConfig.user()),
            Map.entry("pci/00:07.0", VirtioRngConfig.DEFAULT),
            Map.entry("pci/00:08.0", VirtioBalloonConfig.DEFAULT));
  }

  @Test
  void virtioSocketsAreAddedUnlessTheyAreThere() {
    Map<String, DeviceConfig> all = new LinkedHashMap<>();
    options.addTo(all, DeviceTypes.present(), true);
    assertThat(all).containsEntry("pci/00:03.0", VirtioVsockConfig.DEFAULT).hasSize(2);
    options.addTo(all, DeviceTypes.present(), true);
    assertThat(all).hasSize(2);
  }

  @Test
  void aNetworkHasAWayOutAndForwards() {
    assertThat(PciOptions.network("user,outbound,forward=tcp:0:22,forward=tcp:8080:80"))
        .isEqualTo(
            VirtioNetConfig.user()
                .withOutbound(true)
                .withForwards(new PortForward(0, 22), new PortForward(8080, 80)));
  }

  @Test
  void whatIsWrongIsNamed() {
    options.disks = List.of("disk.raw,mode=sideways");
    assertThatThrownBy(() -> devices(Map.of()))
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("mode")
        .hasMessageContaining("sideways");
    for (String disk : List.of("", ",mode=direct")) {
      options.disks = List.of(disk);
      assertThatThrownBy(() -> devices(Map.of()))
          .as(disk)
          .isInstanceOf(UsageException.class)
          .hasMessageContaining("a file is missing");
    }
    for (String net :
        List.of(
            "user,inbound",
            "user,forward=udp:1:2",
            "user,forward=tcp:1:0",
            "none,outbound",
            "foo",
            "")) {
      assertThatThrownBy(() -> PciOptions.network(net))
          .as(net)
          .isInstanceOf(UsageException.class)
          .hasMessageContaining("--net");
    }
  }
}
