package io.vmm4j.software.machinecode;

/**
 * How machine code is made.
 *
 * @param threshold after how many executions a block is translated: property {@code
 *     vmm4j.translation.threshold}
 * @param verify whether all code is verified before it runs: property {@code
 *     vmm4j.translation.verify}; tests do
 */
record TranslationOptions(int threshold, boolean verify) {
  /** Of 2, 8, 24 and 100 executions the best for a boot. */
  private static final int THRESHOLD = 8;

  /** What the system properties say. */
  static TranslationOptions ofProperties() {
    return new TranslationOptions(
        Integer.getInteger("vmm4j.translation.threshold", THRESHOLD),
        Boolean.getBoolean("vmm4j.translation.verify"));
  }
}
