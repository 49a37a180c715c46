package io.vmm4j.testkit.planted.hosttime;

/** What the device has in another class of its package. */
final class Hours {
  private Hours() {}

  static long now() {
    return System.currentTimeMillis() / 3_600_000;
  }
}
