package io.vmm4j.devices.contract;

import io.vmm4j.api.device.ByteChannelEndpoint;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;

/** A device's console with the test at the host's end. */
public final class FakeConsole implements ByteChannelEndpoint {
  private final ByteArrayOutputStream output = new ByteArrayOutputStream();
  private final ArrayDeque<Integer> input = new ArrayDeque<>();
  private final List<Runnable> listeners = new ArrayList<>();

  FakeConsole() {}

  /** Sends text from the host, as ISO-8859-1. */
  public void send(String text) {
    boolean wasEmpty = input.isEmpty();
    for (byte each : text.getBytes(StandardCharsets.ISO_8859_1)) {
      input.add(each & 0xFF);
    }
    if (wasEmpty && !input.isEmpty()) {
      listeners.forEach(Runnable::run);
    }
  }

  /** What the device has transmitted, as ISO-8859-1. */
  public String output() {
    return output.toString(StandardCharsets.ISO_8859_1);
  }

  @Override
  public void transmit(int value) {
    output.write(value);
  }

  @Override
  public int available() {
    return input.size();
  }

  @Override
  public int receive() {
    Integer next = input.poll();
    return next == null ? -1 : next;
  }

  @Override
  public void onReceivable(Runnable listener) {
    listeners.add(listener);
  }

  void copyInputFrom(FakeConsole other) {
    input.clear();
    input.addAll(other.input);
  }
}
