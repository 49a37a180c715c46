.code16
.intel_syntax noprefix
# Lets a LevelDevice send two level-triggered messages a round, the second one another each time,
# ends both interrupts, and looks whether the device has been told.
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7000
  mov bx, 0x30 * 4
vectors:
  mov word ptr [bx], offset handler
  mov word ptr [bx + 2], cs
  add bx, 4
  cmp bx, 0x400
  jb vectors
  mov al, 0xFF
  out 0x21, al
  out 0xA1, al
  mov ecx, 0x1B           # IA32_APIC_BASE: x2APIC
  rdmsr
  or ah, 0x0C
  wrmsr
  mov ecx, 0x80F          # spurious vector, enabled
  xor edx, edx
  mov eax, 0x1FF
  wrmsr
  xor ebx, ebx            # rounds
  xor ebp, ebp            # interrupts
again:
  inc ebx
  mov dx, 0x5E0
  mov eax, ebx
  out dx, eax
wait:
  lea eax, [ebx + ebx]
  cli
  cmp ebp, eax
  jae ended
  sti
  hlt
  jmp wait
ended:
  mov dx, 0x5E4           # how many ends it has heard of
  in eax, dx
  cmp eax, ebp
  jne failed
  mov dx, 0x5E8           # how many rounds there are to be
  in eax, dx
  cmp ebx, eax
  jb again
  mov al, 42
  jmp stop
failed:
  mov al, 1
stop:
  out 0xF4, al
  hlt
  jmp stop
handler:
  push eax
  push ecx
  push edx
  inc ebp
  mov ecx, 0x80B          # end of interrupt
  xor eax, eax
  xor edx, edx
  wrmsr
  pop edx
  pop ecx
  pop eax
  iret
