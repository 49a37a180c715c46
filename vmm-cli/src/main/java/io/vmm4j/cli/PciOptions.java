package io.vmm4j.cli;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtiorng.VirtioRngConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Option;

/** The devices on the PCI bus that have an option of their own. */
final class PciOptions {
  private static final String BUS = "pci";
  private static final String PLACE = "pci/00:%02x.0";

  /** The first place that chipset and root ports leave. */
  private static final int FIRST_DEVICE = 3;

  private static final int LAST_DEVICE = 30;

  @Option(
      names = "--disk",
      paramLabel = "FILE[,mode=overlay|direct|readonly][,serial=…][,overlayBytes=256M]",
      description =
          "Add a disk whose contents are FILE, for the guest's virtio driver; may be given again."
              + " overlay (the default): what the guest writes belongs to the machine and its"
              + " snapshots, FILE is never written. direct: it is written to FILE. A comma in a"
              + " name is written twice.")
  List<String> disks = new ArrayList<>();

  @Option(names = "--rng", description = "Add a source of entropy, for the guest's virtio driver.")
  boolean rng;

  /** Adds the devices, at the first places that are free, and the bus where it is needed. */
  void addTo(Map<String, DeviceConfig> devices, DeviceTypes types) {
    List<DeviceConfig> wanted = new ArrayList<>();
    for (String disk : disks) {
      String device = VirtioBlockConfig.TYPE + ",file=" + disk;
      DeviceOption option = DeviceOption.parse(device, types);
      if (option.path().isPresent()) {
        throw new UsageException("--disk " + disk + ": 'path' goes with --device");
      }
      wanted.add(option.config());
    }
    if (rng) {
      wanted.add(VirtioRngConfig.DEFAULT);
    }
    boolean bus =
        !wanted.isEmpty() || devices.keySet().stream().anyMatch(path -> path.startsWith(BUS + "/"));
    if (bus && !devices.containsKey(BUS)) {
      // Before the devices that are on it.
      Map<String, DeviceConfig> others = new LinkedHashMap<>(devices);
      devices.clear();
      devices.put(BUS, HostBridgeConfig.DEFAULT);
      devices.putAll(others);
    }
    int device = FIRST_DEVICE;
    for (DeviceConfig config : wanted) {
      while (device <= LAST_DEVICE && devices.containsKey(PLACE.formatted(device))) {
        device++;
      }
      if (device > LAST_DEVICE) {
        throw new UsageException("there are more devices than the PCI bus has places");
      }
      devices.put(PLACE.formatted(device), config);
    }
  }
}
