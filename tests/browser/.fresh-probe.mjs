import p from 'puppeteer-core';
const b = await p.launch({executablePath:'/usr/bin/chromium',headless:true,args:['--no-sandbox','--autoplay-policy=no-user-gesture-required']});
for (const port of [18099,18098]) {
  const page = await b.newPage(); page.on('console',m=>console.log(port,m.type(),m.text().slice(0,250))); page.on('pageerror',e=>console.log(port,String(e)));
  await page.goto(`http://localhost:${port}/`); await new Promise(r=>setTimeout(r,6000));
  console.log(port, await page.evaluate(()=>{const v=document.querySelector('veilcast-player')?.shadowRoot?.querySelector('video');const w=document.getElementById('v');return [v?.videoWidth,v?.getVideoPlaybackQuality().totalVideoFrames,w.videoWidth,w.getVideoPlaybackQuality().totalVideoFrames, document.querySelector('veilcast-player')?.shadowRoot?.textContent.replace(/\s+/g,' '), document.title]}));
  await page.screenshot({path:`/tmp/fresh/embed-${port}.png`});
}
await b.close();
