package io.vmm4j.devices.pctestdev;

import io.vmm4j.api.state.FieldMap;
import io.vmm4j.devices.Checks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * What the test device remembers.
 *
 * @param ports the bytes written to ports 0xE0 to 0xE3
 * @param lines the asserted interrupt lines, bit 0 being line 0
 * @param window the pages of the trapped window that are not zeros, ascending
 */
public record PcTestDeviceState(byte[] ports, int lines, List<Page> window) {

  /** Checks lengths and the order of the pages. */
  public PcTestDeviceState {
    Checks.length("ports", ports, PcTestDevice.MEMORY_PORTS);
    window = List.copyOf(window);
    int next = 0;
    for (Page page : window) {
      Checks.range("window: the number of a page", page.number(), next, PcTestDevice.PAGES - 1);
      next = page.number() + 1;
    }
  }

  /**
   * A page of the window.
   *
   * @param number 0 to 15
   * @param contents its 4096 bytes
   */
  public record Page(int number, byte[] contents) {
    /** Checks ranges. */
    public Page {
      Checks.range("number", number, 0, PcTestDevice.PAGES - 1);
      Checks.length("contents", contents, PcTestDevice.PAGE_BYTES);
    }
  }

  /** From version 1, which had the window as 64 KiB in one piece, mostly of zeros. */
  static FieldMap fromVersion1(FieldMap fields) {
    int pageBytes = 4096;
    byte[] window = (byte[]) fields.get("window");
    if (window.length != 16 * pageBytes) {
      throw new IllegalArgumentException("window: it has %d bytes".formatted(window.length));
    }
    List<FieldMap> pages = new ArrayList<>();
    for (int number = 0; number < 16; number++) {
      byte[] page = Arrays.copyOfRange(window, number * pageBytes, (number + 1) * pageBytes);
      if (!Arrays.equals(page, new byte[pageBytes])) {
        pages.add(FieldMap.of(Map.of("number", (long) number, "contents", page)));
      }
    }
    return fields.with("window", pages);
  }
}
