package io.vmm4j.cli;

import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.api.network.PortForward;
import io.vmm4j.devices.pci.HostBridgeConfig;
import io.vmm4j.devices.virtioballoon.VirtioBalloonConfig;
import io.vmm4j.devices.virtioblock.VirtioBlockConfig;
import io.vmm4j.devices.virtionet.VirtioNetConfig;
import io.vmm4j.devices.virtiorng.VirtioRngConfig;
import io.vmm4j.devices.virtiovsock.VirtioVsockConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Option;

/** The devices on the PCI bus that have an option of their own. */
final class PciOptions {
  private static final String BUS = "pci";
  private static final String USER = "user";
  private static final String PLACE = "pci/00:%02x.0";

  /** The first place that chipset and root ports leave. */
  private static final int FIRST_DEVICE = 3;

  private static final int LAST_DEVICE = 30;
  private static final Pattern FORWARD = Pattern.compile("tcp:([0-9]{1,5}):([0-9]{1,5})");

  @Option(
      names = "--disk",
      paramLabel =
          "FILE[,mode=overlay|direct|readonly][,format=raw|qcow2][,serial=…][,overlayBytes=256M]",
      description =
          "Add a disk whose contents are FILE, for the guest's virtio driver; may be given again."
              + " overlay (the default): what the guest writes belongs to the machine and its"
              + " snapshots, FILE is never written. direct: it is written to FILE. qcow2: FILE may"
              + " name others that it has contents from. A comma in a name is written twice.")
  List<String> disks = new ArrayList<>();

  @Option(
      names = "--net",
      paramLabel = "none|user[,outbound][,forward=tcp:HOSTPORT:GUESTPORT]…[,mac=…]",
      description =
          "Add a network card, for the guest's virtio driver (default: none). user: a network of its"
              + " own, with DHCP, in which the guest is 10.0.2.15. outbound: the guest reaches what"
              + " the host reaches. forward: a port of the host's loopback address leads to a port"
              + " of the guest; 0 is any free one, which is printed.")
  String net = VirtioNetConfig.NONE;

  @Option(names = "--rng", description = "Add a source of entropy, for the guest's virtio driver.")
  boolean rng;

  @Option(
      names = "--balloon",
      description =
          "Add a balloon, for the guest's virtio driver: the guest gives memory that it does not use"
              + " back to the host.")
  boolean balloon;

  /** Adds the devices, at the first places that are free, and the bus where it is needed. */
  void addTo(Map<String, DeviceConfig> devices, DeviceTypes types) {
    addTo(devices, types, false);
  }

  /** The same, with virtio sockets if they are wanted and not there. */
  void addTo(Map<String, DeviceConfig> devices, DeviceTypes types, boolean vsock) {
    List<DeviceConfig> wanted = new ArrayList<>();
    for (String disk : disks) {
      if (disk.isBlank() || disk.startsWith(",") && !disk.startsWith(",,")) {
        throw new UsageException("--disk '%s': a file is missing".formatted(disk));
      }
      String device = VirtioBlockConfig.TYPE + ",file=" + disk;
      DeviceOption option = DeviceOption.parse(device, types);
      if (option.path().isPresent()) {
        throw new UsageException("--disk " + disk + ": 'path' goes with --device");
      }
      wanted.add(option.config());
    }
    if (!net.equals(VirtioNetConfig.NONE)) {
      wanted.add(network(net));
    }
    if (rng) {
      wanted.add(VirtioRngConfig.DEFAULT);
    }
    if (balloon) {
      wanted.add(VirtioBalloonConfig.DEFAULT);
    }
    if (vsock
        && devices.values().stream()
            .noneMatch(device -> device.deviceType().equals(VirtioVsockConfig.TYPE))) {
      wanted.add(VirtioVsockConfig.DEFAULT);
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

  /**
   * Reads {@code --net}.
   *
   * @throws UsageException if it is none
   */
  static VirtioNetConfig network(String text) {
    String[] parts = text.split(",", -1);
    if (!parts[0].equals(USER)) {
      throw new UsageException("--net '%s': expected none or user[,…]".formatted(text));
    }
    boolean outbound = false;
    String mac = "";
    List<PortForward> forwards = new ArrayList<>();
    for (int i = 1; i < parts.length; i++) {
      String part = parts[i];
      if (part.equals("outbound")) {
        outbound = true;
      } else if (part.startsWith("mac=")) {
        mac = part.substring(4);
      } else if (part.startsWith("forward=")) {
        forwards.add(forward("--net: forward", part.substring(8)));
      } else {
        throw new UsageException(
            "--net %s: '%s' is none of outbound, forward=…, mac=…".formatted(text, part));
      }
    }
    try {
      return new VirtioNetConfig(mac, VirtioNetConfig.DEFAULT.mtu(), parts[0], outbound, forwards);
    } catch (IllegalArgumentException e) {
      throw new UsageException("--net %s: %s".formatted(text, e.getMessage()));
    }
  }

  /** Reads a forward, which an option or command has. */
  static PortForward forward(String owner, String text) {
    Matcher ports = FORWARD.matcher(text);
    if (!ports.matches()) {
      throw new UsageException("%s: '%s' is no tcp:HOSTPORT:GUESTPORT".formatted(owner, text));
    }
    try {
      return new PortForward(Integer.parseInt(ports.group(1)), Integer.parseInt(ports.group(2)));
    } catch (IllegalArgumentException e) {
      throw new UsageException("%s %s: %s".formatted(owner, text, e.getMessage()));
    }
  }
}
