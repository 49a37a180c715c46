.code16
.intel_syntax noprefix
# Lets the local APIC's timer tick every millisecond, and waits for its interrupts: spinning and halted
# in turn. Prints a letter for each 8.
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7000
  mov word ptr [0x100], offset handler
  mov word ptr [0x102], cs
  mov al, 0xFF
  out 0x21, al
  out 0xA1, al
  mov ecx, 0x1B           # IA32_APIC_BASE: x2APIC
  rdmsr
  or ah, 0x0C
  wrmsr
  xor edx, edx
  mov ecx, 0x80F          # spurious vector, enabled
  mov eax, 0x1FF
  wrmsr
  mov ecx, 0x83E          # divided by 1
  mov eax, 0x0B
  wrmsr
  mov ecx, 0x832          # periodic
  mov eax, 0x20040
  wrmsr
  xor ebx, ebx            # ticks
  mov ecx, 0x838
  mov eax, 1000000
  wrmsr
  sti
wait:
  test bl, 1
  jz spin
  hlt
  jmp wait
spin:
  pause
  jmp wait
handler:
  pushad
  mov ecx, 0x80B          # end of interrupt
  xor eax, eax
  xor edx, edx
  wrmsr
  popad
  inc ebx
  test bl, 7
  jnz back
  push ax
  push dx
  mov eax, ebx
  shr eax, 3
  and al, 15
  add al, 'A'
  mov dx, 0x3F8
  out dx, al
  pop dx
  pop ax
back:
  iret
