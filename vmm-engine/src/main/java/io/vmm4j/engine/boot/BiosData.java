package io.vmm4j.engine.boot;

import io.vmm4j.api.device.PlatformFact;
import io.vmm4j.api.memory.GuestMemory;
import io.vmm4j.api.memory.GuestMemoryException;
import io.vmm4j.engine.memory.RamLayout;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.HexFormat;
import java.util.List;

/**
 * The low memory that a PC's BIOS leaves behind (IBM PC/AT technical reference, "BIOS data area"
 * and BIOS listing; Phoenix, "System BIOS for IBM PCs", chapter 3): interrupt vectors, the BIOS
 * data area at segment 0x40, the extended one, and what the ROM has at fixed places. Kernels read
 * it without any call to a BIOS: for the end of conventional memory, the serial ports, the search
 * for tables.
 *
 * <p>The vectors lead to handlers that return. Two do more: the timer's counts the ticks of the
 * day, and the reset vector resets the machine. There are no services.
 *
 * @param serialPorts the bases of COM1 to COM4; 0 where there is none
 * @param timeOfDay UTC, when the machine starts
 */
public record BiosData(List<Integer> serialPorts, LocalTime timeOfDay) {
  /** The size of the extended BIOS data area, in KiB; its first byte says it. */
  private static final int EXTENDED_KIB = 1;

  private static final long DATA_AREA = 0x400;
  private static final int DATA_AREA_BYTES = 0x100;
  private static final int SERIAL_PORTS = 4;

  /** Ports that the BIOS looks for serial ports at, by number. */
  private static final List<Integer> SERIAL_BASES = List.of(0x3F8, 0x2F8, 0x3E8, 0x2E8);

  private static final String SERIAL_PORT_ID = "PNP0501";

  private static final int EQUIPMENT_COPROCESSOR = 1 << 1;
  private static final int EQUIPMENT_VIDEO_80_COLOUR = 2 << 4;
  private static final int EQUIPMENT_SERIAL_PORTS_SHIFT = 9;

  private static final int VIDEO_80_COLOUR = 3;
  private static final int CRT_CONTROLLER = 0x3D4;

  /** Ticks of counter 0 in 24 hours, as the BIOS counts them. */
  private static final int TICKS_OF_A_DAY = 0x1800B0;

  private static final int ROM_SEGMENT = 0xF000;
  private static final long ROM = ROM_SEGMENT << 4;

  // The first three are where the BIOS of the IBM PC has them.
  private static final int RESET_HANDLER = 0xE05B;
  private static final int TIMER_HANDLER = 0xFEA5;
  private static final int RETURN_HANDLER = 0xFF53;
  private static final int FIRST_CONTROLLER_HANDLER = 0xFF54;
  private static final int SECOND_CONTROLLER_HANDLER = 0xFF60;
  private static final int RESET_VECTOR = 0xFFF0;
  private static final int DATE = 0xFFF5;
  private static final int MODEL = 0xFFFE;
  private static final byte MODEL_AT = (byte) 0xFC;

  private static final String RETURN = "cf"; // iret

  /** Counts a tick, and a day after the last; calls the user's handler; ends the interrupt. */
  private static final String TIMER =
      "1e 50 52" // push ds; push ax; push dx
          + "b84000 8ed8" // mov ax, 0x40; mov ds, ax
          + "ff066c00 7504" // inc word [0x6c]; jnz 1f
          + "ff066e00" // inc word [0x6e]
          + "833e6e0018 7215" // 1: cmp word [0x6e], 0x18; jb 2f
          + "813e6c00b000 720d" // cmp word [0x6c], 0xb0; jb 2f
          + "31c0 a36c00 a36e00" // xor ax, ax; mov [0x6c], ax; mov [0x6e], ax
          + "c606700001" // mov byte [0x70], 1
          + "cd1c" // 2: int 0x1c
          + "b020 e620" // mov al, 0x20; out 0x20, al
          + "5a 58 1f cf"; // pop dx; pop ax; pop ds; iret

  /** Ends the interrupt at the first controller. */
  private static final String END_FIRST =
      "50" // push ax
          + "b020 e620" // mov al, 0x20; out 0x20, al
          + "58 cf"; // pop ax; iret

  /** Ends the interrupt at both controllers. */
  private static final String END_BOTH =
      "50" // push ax
          + "b020 e6a0 e620" // mov al, 0x20; out 0xa0, al; out 0x20, al
          + "58 cf"; // pop ax; iret

  /** Asks the keyboard controller for a reset. */
  private static final String RESET =
      "b0fe e664" // mov al, 0xfe; out 0x64, al
          + "f4 ebfd"; // hlt; jmp to the hlt

  private static final String JUMP_TO_RESET = "ea 5be0 00f0"; // jmp 0xf000:0xe05b

  /** A stable date: the ROM's, as month, day and year. */
  private static final String ROM_DATE = "01/01/25";

  /** Refuses a wrong number of ports. */
  public BiosData {
    serialPorts = List.copyOf(serialPorts);
    if (serialPorts.size() != SERIAL_PORTS) {
      throw new IllegalArgumentException("serialPorts: 4, not " + serialPorts.size());
    }
  }

  /** Returns what a BIOS would find of a machine that starts at a time. */
  public static BiosData of(List<PlatformFact> facts, Instant start) {
    List<Integer> present =
        facts.stream()
            .filter(PlatformFact.FixedDevice.class::isInstance)
            .map(PlatformFact.FixedDevice.class::cast)
            .filter(device -> device.hardwareId().equals(SERIAL_PORT_ID))
            .flatMap(device -> device.ports().stream())
            .map(PlatformFact.PortRange::first)
            .toList();
    // As the BIOS fills the table: in the order of the usual places, without gaps.
    List<Integer> found = SERIAL_BASES.stream().filter(present::contains).toList();
    Integer[] ports = new Integer[SERIAL_PORTS];
    for (int i = 0; i < SERIAL_PORTS; i++) {
      ports[i] = i < found.size() ? found.get(i) : 0;
    }
    return new BiosData(List.of(ports), LocalTime.ofInstant(start, ZoneOffset.UTC));
  }

  /**
   * Writes all of it for which the machine has the RAM. What is loaded later may lie over it. A
   * boot ROM in the place of this one keeps it, and then there are no vectors either.
   */
  public void writeTo(GuestMemory memory, BiosMemoryMap ram) {
    if (ram.contains(DATA_AREA, DATA_AREA_BYTES)) {
      writeDataArea(memory, ram);
    }
    if (isWritable(memory, ROM) && isWritable(memory, RamLayout.EXTENDED - 1)) {
      writeRom(memory);
      writeVectors(memory);
    }
  }

  /** Whether there is RAM, and not a device's read-only memory. */
  private static boolean isWritable(GuestMemory memory, long address) {
    try {
      memory.writeByte(address, memory.readByte(address));
      return true;
    } catch (GuestMemoryException e) {
      return false;
    }
  }

  private void writeDataArea(GuestMemory memory, BiosMemoryMap ram) {
    memory.write(DATA_AREA, new byte[DATA_AREA_BYTES]);
    for (int i = 0; i < SERIAL_PORTS; i++) {
      memory.writeShort(DATA_AREA + 2 * i, serialPorts.get(i));
    }
    if (ram.hasExtendedBiosData()) {
      memory.writeShort(DATA_AREA + 0x0E, (int) (BiosMemoryMap.CONVENTIONAL_END >> 4));
      memory.write(BiosMemoryMap.CONVENTIONAL_END, new byte[EXTENDED_KIB << 10]);
      memory.writeByte(BiosMemoryMap.CONVENTIONAL_END, EXTENDED_KIB);
    }
    int serial = (int) serialPorts.stream().filter(port -> port != 0).count();
    memory.writeShort(
        DATA_AREA + 0x10,
        EQUIPMENT_COPROCESSOR | EQUIPMENT_VIDEO_80_COLOUR | serial << EQUIPMENT_SERIAL_PORTS_SHIFT);
    memory.writeShort(DATA_AREA + 0x13, (int) (ram.conventionalBytes() >> 10));
    // The keyboard's buffer is empty and lies at its usual place.
    memory.writeShort(DATA_AREA + 0x1A, 0x1E);
    memory.writeShort(DATA_AREA + 0x1C, 0x1E);
    memory.writeShort(DATA_AREA + 0x80, 0x1E);
    memory.writeShort(DATA_AREA + 0x82, 0x3E);
    // The video mode of a text screen: 80 by 25, pages of 4 KiB, characters of 16 lines.
    memory.writeByte(DATA_AREA + 0x49, VIDEO_80_COLOUR);
    memory.writeShort(DATA_AREA + 0x4A, 80);
    memory.writeShort(DATA_AREA + 0x4C, 0x1000);
    memory.writeShort(DATA_AREA + 0x60, 0x0607);
    memory.writeShort(DATA_AREA + 0x63, CRT_CONTROLLER);
    memory.writeByte(DATA_AREA + 0x84, 24);
    memory.writeShort(DATA_AREA + 0x85, 16);
    memory.writeInt(DATA_AREA + 0x6C, ticksOfTheDay());
    // Time-outs of the serial ports, in seconds.
    memory.writeInt(DATA_AREA + 0x7C, 0x0101_0101);
  }

  private int ticksOfTheDay() {
    return (int) (timeOfDay.toSecondOfDay() * (long) TICKS_OF_A_DAY / (24 * 60 * 60));
  }

  private static void writeRom(GuestMemory memory) {
    memory.write(ROM + RETURN_HANDLER, bytes(RETURN));
    memory.write(ROM + TIMER_HANDLER, bytes(TIMER));
    memory.write(ROM + FIRST_CONTROLLER_HANDLER, bytes(END_FIRST));
    memory.write(ROM + SECOND_CONTROLLER_HANDLER, bytes(END_BOTH));
    memory.write(ROM + RESET_HANDLER, bytes(RESET));
    memory.write(ROM + RESET_VECTOR, bytes(JUMP_TO_RESET));
    memory.write(ROM + DATE, ROM_DATE.getBytes(StandardCharsets.US_ASCII));
    memory.writeByte(ROM + MODEL, MODEL_AT);
  }

  private static void writeVectors(GuestMemory memory) {
    for (int vector = 0; vector < 0x100; vector++) {
      int handler =
          switch (vector) {
            case 0x08 -> TIMER_HANDLER;
            case 0x19 -> RESET_HANDLER;
            default ->
                switch (vector & 0xF8) {
                  case 0x08 -> FIRST_CONTROLLER_HANDLER;
                  case 0x70 -> SECOND_CONTROLLER_HANDLER;
                  default -> RETURN_HANDLER;
                };
          };
      memory.writeInt(vector * 4L, ROM_SEGMENT << 16 | handler);
    }
  }

  private static byte[] bytes(String hex) {
    return HexFormat.of().parseHex(hex.replace(" ", ""));
  }
}
