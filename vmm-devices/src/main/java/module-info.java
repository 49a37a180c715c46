/** Built-in device models, written against the same SPI as anybody else's. */
module io.vmm4j.devices {
  requires static org.jspecify;
  requires transitive io.vmm4j.api;
  requires org.slf4j;

  exports io.vmm4j.devices.acpipm;
  exports io.vmm4j.devices.board;
  exports io.vmm4j.devices.block;
  exports io.vmm4j.devices.bootrom;
  exports io.vmm4j.devices.debugcon;
  exports io.vmm4j.devices.debugexit;
  exports io.vmm4j.devices.fwcfg;
  exports io.vmm4j.devices.hpet;
  exports io.vmm4j.devices.i8042;
  exports io.vmm4j.devices.ioapic;
  exports io.vmm4j.devices.pci;
  exports io.vmm4j.devices.pcitest;
  exports io.vmm4j.devices.pctestdev;
  exports io.vmm4j.devices.pic;
  exports io.vmm4j.devices.pit;
  exports io.vmm4j.devices.pvpanic;
  exports io.vmm4j.devices.rtc;
  exports io.vmm4j.devices.systemcontrol;
  exports io.vmm4j.devices.testwindow;
  exports io.vmm4j.devices.uart;
  exports io.vmm4j.devices.virtio;
  exports io.vmm4j.devices.virtioballoon;
  exports io.vmm4j.devices.virtioblock;
  exports io.vmm4j.devices.virtioconsole;
  exports io.vmm4j.devices.virtioinput;
  exports io.vmm4j.devices.virtionet;
  exports io.vmm4j.devices.virtiorng;
  exports io.vmm4j.devices.virtiovsock;
  exports io.vmm4j.devices.vmgenid;
  exports io.vmm4j.devices.watchdog;

  uses io.vmm4j.api.network.NetworkFactory;

  provides io.vmm4j.api.device.Board with
      io.vmm4j.devices.board.PcBoard;
  provides io.vmm4j.api.device.DeviceFactory with
      io.vmm4j.devices.acpipm.AcpiPmFactory,
      io.vmm4j.devices.bootrom.BootRomFactory,
      io.vmm4j.devices.debugcon.DebugConsoleFactory,
      io.vmm4j.devices.debugexit.DebugExitFactory,
      io.vmm4j.devices.fwcfg.FwCfgFactory,
      io.vmm4j.devices.hpet.HpetFactory,
      io.vmm4j.devices.i8042.I8042Factory,
      io.vmm4j.devices.ioapic.IoApicFactory,
      io.vmm4j.devices.pci.HostBridgeFactory,
      io.vmm4j.devices.pci.RootPortFactory,
      io.vmm4j.devices.pcitest.PciTestFactory,
      io.vmm4j.devices.pctestdev.PcTestDeviceFactory,
      io.vmm4j.devices.pic.PicFactory,
      io.vmm4j.devices.pit.PitFactory,
      io.vmm4j.devices.pvpanic.PciPvpanicFactory,
      io.vmm4j.devices.pvpanic.PvpanicFactory,
      io.vmm4j.devices.rtc.RtcFactory,
      io.vmm4j.devices.systemcontrol.SystemControlFactory,
      io.vmm4j.devices.testwindow.TestWindowFactory,
      io.vmm4j.devices.uart.UartFactory,
      io.vmm4j.devices.virtioballoon.VirtioBalloonFactory,
      io.vmm4j.devices.virtioblock.VirtioBlockFactory,
      io.vmm4j.devices.virtioconsole.VirtioConsoleFactory,
      io.vmm4j.devices.virtioinput.VirtioInputFactory,
      io.vmm4j.devices.virtionet.VirtioNetFactory,
      io.vmm4j.devices.virtiorng.VirtioRngFactory,
      io.vmm4j.devices.virtiovsock.VirtioVsockFactory,
      io.vmm4j.devices.vmgenid.VmGenerationIdFactory,
      io.vmm4j.devices.watchdog.WatchdogFactory;
}
