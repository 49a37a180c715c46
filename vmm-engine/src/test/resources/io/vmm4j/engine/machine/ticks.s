.code16
.intel_syntax noprefix
start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, 0x7000
  mov word ptr [0x20], offset handler
  mov word ptr [0x22], cs
  mov al, 0x11
  out 0x20, al
  mov al, 8
  out 0x21, al
  mov al, 4
  out 0x21, al
  mov al, 1
  out 0x21, al
  mov al, 0xFE
  out 0x21, al
  mov al, 0x34
  out 0x43, al
  mov al, 3
  out 0x40, al
  xor al, al
  out 0x40, al
  sti
work:
  mov cx, 400
mix:
  add ebx, ecx
  rol ebx, 3
  xor [0x600], ebx
  loop mix
  hlt
  jmp work
handler:
  push ax
  push dx
  inc dword ptr [0x604]
  mov al, [0x604]
  and al, 15
  add al, 65
  mov dx, 0x3F8
  out dx, al
  mov al, 0x20
  out 0x20, al
  pop dx
  pop ax
  iret
