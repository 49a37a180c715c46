package io.vmm4j.software.machinecode.verify;

/** What is not proven of an instruction. It has no stack: {@link CodeVerifier} says where. */
final class Refused extends RuntimeException {
  private static final long serialVersionUID = 1;

  Refused(String reason) {
    super(reason, null, false, false);
  }

  String reason() {
    return String.valueOf(getMessage());
  }

  static void require(boolean proven, String otherwise) {
    if (!proven) {
      throw new Refused(otherwise);
    }
  }
}
