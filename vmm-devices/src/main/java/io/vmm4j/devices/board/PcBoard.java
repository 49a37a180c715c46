package io.vmm4j.devices.board;

import io.vmm4j.api.device.Board;
import io.vmm4j.api.device.DeviceConfig;
import io.vmm4j.devices.acpipm.AcpiPmConfig;
import io.vmm4j.devices.i8042.I8042Config;
import io.vmm4j.devices.ioapic.IoApicConfig;
import io.vmm4j.devices.pic.PicConfig;
import io.vmm4j.devices.pit.PitConfig;
import io.vmm4j.devices.rtc.RtcConfig;
import io.vmm4j.devices.systemcontrol.SystemControlConfig;
import io.vmm4j.devices.vmgenid.VmGenerationIdConfig;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What every PC has: interrupt controllers, timers, keyboard controller, power management, system
 * control port, VM generation id.
 */
public final class PcBoard implements Board {

  /** For {@link java.util.ServiceLoader}. */
  public PcBoard() {}

  @Override
  public String name() {
    return "pc";
  }

  @Override
  public Map<String, DeviceConfig> devices() {
    Map<String, DeviceConfig> devices = new LinkedHashMap<>();
    devices.put("pic", PicConfig.DEFAULT);
    devices.put("ioapic", IoApicConfig.DEFAULT);
    devices.put("pit", PitConfig.DEFAULT);
    devices.put("rtc", RtcConfig.DEFAULT);
    devices.put("i8042", I8042Config.DEFAULT);
    devices.put("acpi-pm", AcpiPmConfig.DEFAULT);
    devices.put("system-control", SystemControlConfig.DEFAULT);
    devices.put("vmgenid", VmGenerationIdConfig.DEFAULT);
    return Collections.unmodifiableMap(devices);
  }
}
