package io.vmm4j.engine.machine.failure;

/** Takes what a device model throws where nobody could handle it: the machine ends as crashed. */
@FunctionalInterface
public interface DeviceFailures {

  /**
   * A device's code has thrown. Never throws itself; the machine ends after the current
   * instruction.
   *
   * @param path of the device
   * @param during what it was asked to do, such as {@code write of port 0x3f8}
   */
  void failed(String path, String during, Throwable cause);
}
